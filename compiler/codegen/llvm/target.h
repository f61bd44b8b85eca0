// Instruction sets and code generation settings: what is said to LLVM about the machine, in one place.
#pragma once

#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

namespace netc::codegen {

struct Target {
  std::string cpu, features; // as LLVM spells them
  bool avx512 = false;       // a register of 16 lanes is one machine register
};

/// "x86-64-v3", "x86-64-v4", "native" (also the empty string). Others throw UserError.
Target findTarget(const std::string &name);

/// Contraction is off: a multiplication and an addition are never fused.
llvm::TargetOptions targetOptions();
/// For position-independent code on this machine's system; the instruction set is each function's own
/// attribute.
std::unique_ptr<llvm::TargetMachine> createTargetMachine();

/// The attributes without which a kernel is slow, or has other bits.
void setAttributes(llvm::Function &, const Target &);

/// The short pipeline of passes before code generation. Verifies first; InternalError when the module is
/// invalid.
void optimize(llvm::Module &, llvm::TargetMachine &);

} // namespace netc::codegen
