// Copies of a block: what unroll and split have in common.
#pragma once

#include "compiler/loop/walk.h"


namespace netc::loop {

/// For each loop of a kernel, the single registers that live in one run of its body: all that names them is in the body,
/// behind one assignment. A copy of the body may use a register of its own in their place.
using PrivateRegisters = std::unordered_map<const Statement *, std::vector<int>>;
/// `isLoop` says which loops count; a register belongs to the innermost one of these.
PrivateRegisters privateRegisters(const Kernel &, const std::function<bool(const Statement &)> &isLoop);

} // namespace netc::loop
