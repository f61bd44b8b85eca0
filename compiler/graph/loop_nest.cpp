#include "compiler/graph/loop_nest.h"

#include <algorithm>

namespace netc::graph {

bool LoopNest::empty() const {
  return std::any_of(loops.begin(), loops.end(), [](const Loop &l) { return l.extent <= 0; });
}

void LoopNest::restrict(std::size_t loop, std::int64_t begin, std::int64_t end) {
  for (std::size_t t = 0; t < now.size(); ++t) now[t] += loops[loop].step[t] * begin;
  loops[loop].extent = end - begin;
}

void LoopNest::merge() {
  for (std::size_t l = loops.size(); l-- > 1;) {
    const Loop &outer = loops[l - 1], &inner = loops[l];
    bool alike = true;
    for (std::size_t t = 0; t < now.size(); ++t) alike &= outer.step[t] == inner.step[t] * inner.extent;
    if (!alike) continue;
    loops[l].extent *= outer.extent;
    loops.erase(loops.begin() + static_cast<std::ptrdiff_t>(l) - 1);
  }
}

Loop LoopNest::takeInnermost() {
  Loop inner = std::move(loops.back());
  loops.pop_back();
  return inner;
}

bool LoopNest::advance() {
  at.resize(loops.size(), 0);
  for (std::size_t l = loops.size(); l-- > 0;) {
    const bool carry = ++at[l] == loops[l].extent;
    const std::int64_t by = carry ? 1 - loops[l].extent : 1;
    for (std::size_t t = 0; t < now.size(); ++t) now[t] += loops[l].step[t] * by;
    if (!carry) return true;
    at[l] = 0;
  }
  return false;
}

} // namespace netc::graph
