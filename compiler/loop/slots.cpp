#include "compiler/loop/slots.h"

#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <set>

namespace netc::loop {

Slots::Slots(const Kernel &k) : k(k), first{0} {
  for (const Register &r : k.registers) {
    std::int64_t size = 1;
    for (const std::int64_t d : r.dims) size *= d;
    first.push_back(first.back() + static_cast<int>(size));
  }
}

std::optional<int> Slots::of(const RegisterRef &r) const {
  const std::vector<std::int64_t> &dims = k.registers[r.reg].dims;
  std::int64_t at = 0;
  for (std::size_t d = 0; d < r.index.size(); ++d) {
    if (!r.index[d].isConstant()) return std::nullopt;
    at = at * dims[d] + r.index[d].constant();
  }
  const std::int64_t slot = first[r.reg] + at;
  // An index out of range can only stand where nothing runs; any slot of the array will do.
  return slot >= first[r.reg] && slot < first[r.reg + 1] ? static_cast<int>(slot) : first[r.reg];
}

int Slots::at(const RegisterRef &r) const {
  const auto slot = of(r);
  if (!slot) internalError("a back end needs unrolled kernels: a register index is not constant");
  return *slot;
}

std::pair<int, int> Slots::range(const RegisterRef &r) const {
  if (const auto slot = of(r)) return {*slot, *slot + 1};
  return {first[r.reg], first[r.reg + 1]};
}

template <class T> static void keepOnce(std::vector<T> &list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

const Effects &EffectsOf::operator()(const Statement &nested) {
  const auto [at, isNew] = known.try_emplace(&nested);
  Effects &e = at->second; // stays where it is when others come
  if (!isNew) return e;
  for (const StatementPtr &s : *bodyOf(nested)) {
    if (bodyOf(*s)) {
      const Effects &more = (*this)(*s);
      e.assigned.insert(e.assigned.end(), more.assigned.begin(), more.assigned.end());
      e.stored.insert(e.stored.end(), more.stored.begin(), more.stored.end());
    } else if (const RegisterRef *dst = destination(*s)) {
      e.assigned.push_back(slots.range(*dst));
    } else if (auto *store = std::get_if<Store>(&s->node)) {
      e.stored.push_back(store->buffer);
    }
  }
  keepOnce(e.assigned);
  keepOnce(e.stored);
  return e;
}

std::map<int, std::vector<int>> changedByStore(const Entry &e, const Kernel &k) {
  std::set<int> used;
  forEachStatement(k.body, [&](const Statement &s) {
    if (auto *load = std::get_if<Load>(&s.node)) used.insert(load->buffer);
    if (auto *store = std::get_if<Store>(&s.node)) used.insert(store->buffer);
  });
  std::map<int, std::vector<int>> changed;
  for (const int a : used)
    for (const int b : used)
      if (a == b || overlaps(e.buffers[a], e.buffers[b])) changed[a].push_back(b);
  return changed;
}

} // namespace netc::loop
