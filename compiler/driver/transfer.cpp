#include "compiler/driver/transfer.h"

#include "compiler/support/diagnostics.h"
#include "netc/data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

namespace netc::driver {
namespace {

std::vector<std::int64_t> shapeOf(const Tensor &t) {
  std::vector<std::int64_t> shape;
  for (std::size_t axis = 0; axis < t.rank(); ++axis) shape.push_back(static_cast<std::int64_t>(t.extent(axis)));
  return shape;
}

std::string described(const std::string &name, const std::vector<std::int64_t> &shape) {
  return fmt::format("{} [{}]", visible(name), fmt::join(shape, ", "));
}

/// For each tensor of the file the name that it has in the model.
using Names = std::vector<std::string>;

Names namesByPath(const data::Arrays &file, const std::vector<std::string> &map) {
  Names names;
  for (const data::Array &a : file) {
    std::string name = a.name;
    for (const std::string &entry : map) {
      std::size_t equals = entry.find('=');
      if (equals == std::string::npos || !a.name.starts_with(entry.substr(0, equals))) continue;
      name = entry.substr(equals + 1) + a.name.substr(equals);
      break;
    }
    names.push_back(name);
  }
  return names;
}

Names namesByOrder(const data::Arrays &file, const std::vector<Tensor> &model) {
  using Kind = std::pair<std::string, std::vector<std::int64_t>>; // last name and shape
  auto last = [](const std::string &name) { return name.substr(name.rfind('.') + 1); };
  std::map<Kind, std::vector<std::string>> free; // the model's, in order
  for (const Tensor &t : model) free[{last(t.name()), shapeOf(t)}].push_back(t.name());
  std::map<Kind, std::size_t> used;
  Names names;
  for (const data::Array &a : file) {
    Kind kind{last(a.name), a.shape};
    std::size_t k = used[kind]++;
    names.push_back(k < free[kind].size() ? free[kind][k] : "");
  }
  return names;
}

void checkMap(const std::vector<std::string> &map) {
  for (const std::string &entry : map)
    if (entry.find('=') == std::string::npos && entry != "names" && !(entry == "order" && map.size() == 1))
      throw UserError(fmt::format("--map: expected 'names', 'order' alone, or FROM=TO, found '{}'", entry));
}

} // namespace

std::vector<std::string> takeWeights(CompiledModel &model, const std::string &path, const std::vector<std::string> &map) {
  checkMap(map);
  data::Arrays file;
  std::string error;
  if (!data::readSafetensors(path, file, error)) throw UserError(error);
  std::vector<Tensor> all = weightsOf(model.core());
  Names names = map[0] == "order" ? namesByOrder(file, all) : namesByPath(file, map);
  std::vector<std::string> lines, missing, unused;
  std::set<std::size_t> taken;
  for (Tensor &t : all) {
    std::size_t i = static_cast<std::size_t>(std::find(names.begin(), names.end(), t.name()) - names.begin());
    if (i == names.size() || file[i].shape != shapeOf(t)) {
      missing.push_back(described(t.name(), shapeOf(t)));
      continue;
    }
    std::vector<float> values(t.size()); // the bytes of a file are not aligned
    std::memcpy(values.data(), file[i].bytes.data(), file[i].bytes.size());
    t.set(values.data());
    taken.insert(i);
    if (file[i].name != t.name()) lines.push_back(fmt::format("  {} is {} of the file", visible(t.name()), visible(file[i].name)));
  }
  for (std::size_t i = 0; i < file.size(); ++i)
    if (!taken.count(i)) unused.push_back(described(file[i].name, file[i].shape));
  if (taken.empty())
    throw UserError(
        fmt::format("'{}': no tensor fits; the model has {}, the file has {}", path, fmt::join(missing, ", "), fmt::join(unused, ", ")));
  requireFinite(model.core(), path);
  lines.insert(lines.begin(), fmt::format("weights: {} of {} tensors from '{}'", taken.size(), all.size(), visible(path)));
  if (!missing.empty()) lines.push_back(fmt::format("  as they begin: {}", fmt::join(missing, ", ")));
  if (!unused.empty()) lines.push_back(fmt::format("  not taken from the file: {}", fmt::join(unused, ", ")));
  return lines;
}

} // namespace netc::driver
