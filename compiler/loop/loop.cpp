#include "compiler/loop/loop.h"

#include "compiler/support/entry_name.h"

#include <algorithm>

namespace netc::loop {

const Entry *Program::entry(std::string_view name) const {
  for (const Entry &e : entries)
    if (e.name == name) return &e;
  return nullptr;
}

const Entry *Program::trainingEntry() const {
  const auto e = std::find_if(entries.begin(), entries.end(), [](const Entry &x) { return isTraining(x.name); });
  return e == entries.end() ? nullptr : &*e;
}

} // namespace netc::loop
