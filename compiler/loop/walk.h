// Small helpers to look at and rebuild statements, shared by the printer, the verifier and the passes.
#pragma once

#include "compiler/loop/loop.h"
#include "compiler/support/function_ref.h"

#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace netc::loop {

/// The register that a statement assigns, or null (Store, For, If).
const RegisterRef *destination(const Statement &);

/// The operands that a statement reads: not its destination, not those of nested statements.
void forEachOperand(const Statement &, FunctionRef<void(const Operand &)>);

/// The body of a For or If, else null.
const Block *bodyOf(const Statement &);

/// Every statement of a block and of the blocks in it, in textual order.
void forEachStatement(const Block &, FunctionRef<void(const Statement &)>);

/// What takes the place of the affine expressions of a statement, and of the numbers of its registers, buffers and scalars;
/// where nothing is said, they stay.
struct Rewrite {
  std::function<Affine(const Affine &)> affine = {};
  std::function<int(int)> reg = {}, buffer = {}, scalar = {};
};
/// The body of a For or If is kept as it is: the caller rewrites it.
Statement rewritten(const Statement &, const Rewrite &);
/// All statements of a block and of the blocks in it. Those that name nothing that is rewritten are shared.
Block rewritten(const Block &, const Rewrite &);

/// A For or If with another body.
StatementPtr withBody(const Statement &, Block);

/// The register type that an element of a buffer loads as, and that a store to it takes.
DType registerType(DType element);

/// The type of an operand; nothing when it names no register of the kernel.
std::optional<DType> operandType(const Kernel &, const Operand &);

/// The type that a statement gives its destination, from its operands; nothing when they do not say.
std::optional<DType> resultType(const Entry &, const Kernel &, const Statement &);
std::optional<DType> resultType(const Kernel &, const Compute &);

/// True when storing to one buffer may change the other: the same memory, overlapping bytes.
bool overlaps(const Buffer &, const Buffer &);

/// Removes registers that no statement names and renumbers the others.
void compactRegisters(Kernel &);

/// Hands out register names that are new in a kernel: "x_1", "x_2" for copies of "x".
class RegisterNames {
public:
  explicit RegisterNames(const Kernel &);
  std::string fresh(const std::string &name);

private:
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, int> used; // the last number
};

} // namespace netc::loop
