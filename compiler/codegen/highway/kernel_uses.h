// What the text of a kernel has to declare.
#pragma once

#include "compiler/codegen/constant_registers.h"
#include "compiler/loop/loop.h"

#include <map>
#include <set>

namespace netc::codegen {

struct Uses {
  std::map<Element, int> writes;
  std::set<Element> reads;
  std::set<int> loaded, stored; // buffers
  std::set<int> scalars, variables;
};
Uses usesOf(const loop::Kernel &);

} // namespace netc::codegen
