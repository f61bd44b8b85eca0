// What the text of a kernel has to declare.
#pragma once

#include "compiler/loop/slots.h"

#include <set>
#include <vector>

namespace netc::codegen {

struct Uses {
  std::vector<int> writes;  // how many, by slot
  std::vector<bool> reads;  // by slot
  std::set<int> loaded, stored; // buffers
  std::set<int> scalars, variables;
};
Uses usesOf(const loop::Kernel &, const loop::Slots &);

} // namespace netc::codegen
