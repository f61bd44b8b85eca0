// Modules: the kernels and the constant tables of programs. Private to this folder.
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

/// Makes one module of all that programs have, or parts to compile side by side. Modules are not optimised, not verified; the
/// model's table is the one symbol that others may see. The programs outlive this.
class ModuleBuilder {
public:
  explicit ModuleBuilder(const std::vector<loop::Program> &);

  /// Kernels are internal.
  std::unique_ptr<llvm::Module> whole(llvm::LLVMContext &, const Reference &) const;

  /// Kernels are hidden: parts know each other's by name. The first part is the tables, the others have kernels, which of them
  /// depends on the programs alone.
  std::unique_ptr<llvm::Module> part(llvm::LLVMContext &, std::size_t, const Reference &) const;
  std::size_t partCount() const { return firsts.size(); }

private:
  struct Kernel {
    KernelRef ref;
    std::string symbol;
  };
  std::unique_ptr<llvm::Module> emptyModule(llvm::LLVMContext &) const;
  llvm::Function *declare(llvm::Module &, const Kernel &, llvm::GlobalValue::LinkageTypes) const;
  void define(llvm::Module &, std::size_t begin, std::size_t end, llvm::GlobalValue::LinkageTypes) const;
  void addModelTables(llvm::Module &, const Reference &) const;

  const std::vector<loop::Program> &programs;
  std::vector<SharedKernels> shared;
  std::vector<Kernel> kernels;     // those with a function of their own
  std::vector<std::size_t> firsts; // of each part's kernels; the tables' part is before the first
};

/// Adds the tables, each a constant whose fields are 8 bytes, in the order given; the last one is external.
void addTables(llvm::Module &, const std::vector<Table> &, const std::string &lastSymbol,
               const std::function<llvm::Function *(const KernelRef &)> &kernel);

} // namespace netc::codegen
