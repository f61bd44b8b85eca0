// Copies of a block: what unroll and split have in common.
#pragma once

#include "compiler/loop/walk.h"

namespace netc::loop {

/// For each loop of a kernel, the single registers that live in one run of its body: all that names them is in the body,
/// behind one assignment. A copy of the body may use a register of its own in their place.
using PrivateRegisters = std::unordered_map<const Statement *, std::vector<int>>;
/// `isLoop` says which loops count; a register belongs to the innermost one of these.
PrivateRegisters privateRegisters(const Kernel &, const std::function<bool(const Statement &)> &isLoop);

/// What registers are called in the copies of loop bodies. The first copy keeps a body's private registers, each later
/// one gets its own: values of one assignment are easy to share (cse).
class RegisterCopies {
public:
  RegisterCopies(Kernel &, const std::function<bool(const Statement &)> &isCopied);
  /// From now on one more copy of the loop's body.
  void begin(const Statement &loop);
  /// The register in the present copies, by its number in the kernel as it was.
  int operator[](int reg) const { return names[reg]; }

private:
  int copyOf(int reg);

  Kernel &kernel;
  PrivateRegisters own;
  RegisterNames free;
  std::vector<int> names;
  std::vector<bool> used; // by original register: some copy has it
};

} // namespace netc::loop
