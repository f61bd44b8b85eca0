#include "compiler/loop/loop.h"

#include "compiler/support/entry_name.h"

#include <algorithm>

namespace netc::loop {

std::string_view name(Space s) {
  constexpr std::string_view names[] = {"input", "output", "store", "workspace", "part", "constant"};
  return names[static_cast<int>(s)];
}

const Entry *Program::entry(std::string_view name) const {
  for (const Entry &e : entries)
    if (e.name == name) return &e;
  return nullptr;
}

const Entry *Program::trainingEntry() const {
  const auto e = std::find_if(entries.begin(), entries.end(), [](const Entry &x) { return isTraining(x.name); });
  return e == entries.end() ? nullptr : &*e;
}

std::vector<Digit> storeDigits(const Tensor &t) {
  if (t.blocked.empty()) return {};
  std::vector<Digit> blocks(t.shape.size()), inBlock(t.shape.size());
  std::int64_t stride = 1;
  for (auto d = t.blocked.rbegin(); d != t.blocked.rend(); ++d, stride *= lanes)
    inBlock[static_cast<std::size_t>(*d)] = {lanes, stride};
  for (std::size_t d = t.shape.size(); d-- > 0; stride *= blocks[d].extent)
    blocks[d] = {t.shape[d] / inBlock[d].extent, stride};
  std::vector<Digit> digits;
  for (std::size_t d = 0; d < t.shape.size(); ++d)
    for (const Digit &digit : {blocks[d], inBlock[d]})
      if (digit.extent > 1) digits.push_back(digit);
  return digits;
}

} // namespace netc::loop
