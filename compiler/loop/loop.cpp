#include "compiler/loop/loop.h"

namespace netc::loop {

const Entry *Program::entry(std::string_view name) const {
  for (const Entry &e : entries)
    if (e.name == name) return &e;
  return nullptr;
}

const Entry *Program::trainingEntry() const {
  const Entry *step = entry("trainStep");
  return step ? step : entry("accumulate");
}

} // namespace netc::loop
