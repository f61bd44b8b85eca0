// Registers as numbered slots, and what a piece of code does to them.
#pragma once

#include "compiler/loop/walk.h"

#include <map>

namespace netc::loop {

/// Every element of every register has a slot.
class Slots {
public:
  explicit Slots(const Kernel &);
  int count() const { return first.back(); }
  int firstOf(int reg) const { return first[reg]; }
  /// The slot, or nothing where an index is no constant.
  std::optional<int> of(const RegisterRef &) const;
  /// Of a reference in an unrolled kernel, whose indices are constants.
  int at(const RegisterRef &) const;
  /// The slots that a reference may name: begin <= slot < end.
  std::pair<int, int> range(const RegisterRef &) const;

private:
  const Kernel &k;
  std::vector<int> first; // by register, and the end
};

/// What running a statement may change.
struct Effects {
  std::vector<std::pair<int, int>> assigned; // ranges of slots, each once
  std::vector<int> stored;                   // buffers, each once
};

/// Effects of the Fors and Ifs of a kernel, each computed once.
class EffectsOf {
public:
  EffectsOf(const Slots &slots) : slots(slots) {}
  const Effects &operator()(const Statement &nested);

private:
  const Slots &slots;
  std::unordered_map<const Statement *, Effects> known;
};

/// For each buffer that the kernel uses, those of them that a store to it may change; itself among them. (Of the kernel's
/// alone: an entry has as many buffers as tensors, and all pairs of them for each kernel would be cubic.)
std::map<int, std::vector<int>> changedByStore(const Entry &, const Kernel &);

} // namespace netc::loop
