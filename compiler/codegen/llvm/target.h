// Instruction sets and code generation settings: what is said to LLVM about the machine, in one place.
#pragma once

#include "compiler/support/targets.h"

#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

namespace netc::codegen {

struct InstructionSet {
  Target target;
  std::string cpu, features; // as LLVM spells them
  /// A register of 16 lanes is one of AVX-512's.
  bool avx512() const { return target.lanes == 16; }
};

/// Of a target's name, as findTarget takes it.
InstructionSet instructionSet(const std::string &name);

/// For position-independent code without contraction; the instruction set is each function's own attribute.
std::unique_ptr<llvm::TargetMachine> createTargetMachine(const Architecture &);

/// The attributes without which a kernel is slow, or has other bits.
void setAttributes(llvm::Function &, const InstructionSet &);

/// The short pipeline of passes before code generation. Verifies first; InternalError when the module is
/// invalid.
void optimize(llvm::Module &, llvm::TargetMachine &);

} // namespace netc::codegen
