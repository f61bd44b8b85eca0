// One kernel on its way to an LLVM function: `void(ptr frame, i64 begin, i64 end)`. Private to this folder.
//
//  - A register is an alloca of <16 x float>, <16 x i32> or <16 x i1>; the first pass, sroa, makes values of
//  them.
//  - Loops are rotated (tested at the bottom, guarded at the top), as no later pass does that and code motion
//  needs it.
//  - Memory operations say by alias scopes which buffers are disjoint; two buffers that share workspace may
//  alias.
//  - No flag allows a change of bits: no fast-math, no contraction, no reduction intrinsics. One thing is
//  left: LLVM drops
//    x * 1, x / 1, x - 0 and x + -0 (constants known), which would have made zero of a denormal x.
#pragma once

#include "compiler/codegen/constant_registers.h"
#include "compiler/codegen/llvm/target.h"
#include "compiler/codegen/shared_kernels.h"
#include "compiler/loop/loop.h"

#include <llvm/IR/IRBuilder.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace netc::codegen {

/// Constant buffers of a module; equal ones are one.
class ConstantBuffers {
 public:
  explicit ConstantBuffers(llvm::Module &module) : module(module) {}
  llvm::GlobalVariable *find(const loop::Buffer &);

 private:
  llvm::Module &module;
  std::map<llvm::Constant *, llvm::GlobalVariable *> known;
};

class KernelCode {
 public:
  /// `function` is empty and has the type above.
  KernelCode(llvm::Function &function, const loop::Entry &, const loop::Kernel &, const PlacesRead &, const InstructionSet &,
             ConstantBuffers &);
  void build();

 private:
  // kernel_code.cpp: frame, registers, control flow
  void declareRegisters();
  void loadFrame();
  llvm::Value *frameField(int field, llvm::Type *, const char *name);
  void emit(const loop::Block &);
  void emit(const loop::For &);
  void emit(const loop::If &);
  /// Emits `body` once for each var from lower while var < upper.
  template <class Body>
  void emitLoop(int var, llvm::Value *lower, llvm::Value *upper, std::int64_t step, Body body);
  llvm::BasicBlock *newBlock(const char *name);

  // kernel_code.cpp: values
  llvm::AllocaInst *place(const loop::RegisterRef &);
  llvm::Value *read(const loop::Operand &);
  void assign(const loop::RegisterRef &, llvm::Value *);
  llvm::Value *invariantLoad(llvm::Type *, llvm::Value *address, const llvm::Twine &name);
  /// Where the kernel's stages differ in it; else null.
  llvm::Value *placeRead(const std::map<int, int> &positions, int index);
  llvm::Value *scalar(int index);
  llvm::Value *affine(const Affine &); // i64
  llvm::Value *linear(const Affine &,
                      std::int64_t scale); // i64, without the constant, times scale; null when none

  // operations.cpp
  void emit(const loop::Compute &);
  void emit(const loop::LaneIndex &);
  void emit(const loop::LaneMask &);
  llvm::Value *apply(Fn, const std::vector<llvm::Value *> &);
  llvm::Value *compare(Fn, llvm::Value *, llvm::Value *);
  llvm::Value *truncateToInt(llvm::Value *);
  llvm::Value *laneMask(const Affine &active); // <16 x i1>: lane < active

  // reductions.cpp
  /// One or more registers' partial sums, in one vector: for each the lanes they are in, in order.
  struct PartialSums {
    llvm::Value *vector = nullptr;
    std::vector<std::vector<int>> lanes;
  };
  void emit(const loop::Reduce &);
  void reduceTogether(const loop::Block &, std::size_t from);
  PartialSums merged(loop::Reduce::Op, const PartialSums &, const PartialSums &);
  PartialSums halved(loop::Reduce::Op, PartialSums);
  llvm::Value *combine(loop::Reduce::Op, llvm::Value *, llvm::Value *);

  // memory.cpp
  void emit(const loop::Load &);
  void emit(const loop::Store &);
  llvm::Value *loadMemory(const loop::Load &); // 16 lanes as they are in memory
  llvm::Value *loadBroadcast(const loop::Load &);
  llvm::Value *loadElements(const loop::Load &, int count);
  llvm::Value *loadStrided(const loop::Load &, int count);
  void storeStrided(const loop::Store &, llvm::Value *, int count);
  void storeMemory(const loop::Store &, llvm::Value *);
  llvm::Value *pointer(int buffer, const Affine &address, std::int64_t lane = 0); // lane: in elements
  llvm::Value *pointers(int buffer, const Affine &address, std::int64_t stride);  // <16 x ptr>
  llvm::Value *base(int buffer);
  llvm::Type *memoryType(int buffer);
  llvm::Align alignment(int buffer) const;
  template <class Instruction> Instruction *annotate(Instruction *, int buffer);
  void computeAliasScopes();

  llvm::LLVMContext &context;
  llvm::Function &function;
  const loop::Entry &entry;
  const loop::Kernel &kernel;
  const PlacesRead &placesRead;
  const InstructionSet &set;
  const ConstantRegisters constantRegisters;
  ConstantBuffers &constants;
  llvm::IRBuilder<> b;
  llvm::IRBuilder<> top;                                  // in the entry block: values made once a call
  std::vector<std::vector<llvm::AllocaInst *>> registers; // by register, then element
  std::vector<llvm::Value *> variables;
  std::map<const loop::Reduce *, llvm::Value *> totals; // of those that were done with one before them, until then
  std::vector<llvm::Value *> scalars, bases; // made when first used
  llvm::Value *store = nullptr, *workspace = nullptr, *part = nullptr, *inputs = nullptr, *outputs = nullptr,
              *scalarTable = nullptr, *places = nullptr;
  std::vector<llvm::MDNode *> ownScope, otherScopes; // by buffer
};

} // namespace netc::codegen
