// Whole modules: every kernel and the constant tables of programs. Private to this folder.
#pragma once

#include "compiler/codegen/model_tables.h"
#include "compiler/support/targets.h"

#include <llvm/IR/Module.h>

#include <functional>
#include <memory>
#include <vector>

namespace netc::codegen {

/// The one that all programs of a module are for.
const Architecture &architecture(const std::vector<loop::Program> &);

/// Kernels are internal, the model's table is the one external symbol. Not optimised, not verified.
std::unique_ptr<llvm::Module> buildModule(llvm::LLVMContext &, const std::vector<loop::Program> &,
                                          const Reference & = {});

/// Adds the tables, each a constant whose fields are 8 bytes, in the order given; the last one is external.
void addTables(llvm::Module &, const std::vector<Table> &, const std::string &lastSymbol,
               const std::function<llvm::Function *(const KernelRef &)> &kernel);

} // namespace netc::codegen
