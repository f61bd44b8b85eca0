#include "compiler/driver/arrays.h"

#include "compiler/driver/bytes.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"
#include "netc/data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace netc::driver {
namespace {

Array fromNpy(const std::string &path) {
  data::Array file;
  std::string error;
  if (!data::readNpy(path, file, error)) throw UserError(error);
  Array a{file.shape, {}};
  for (std::size_t i = 0; i < file.elements(); ++i) a.values.push_back(file.value(i));
  return a;
}

std::optional<bool> conditionIn(std::string cell) {
  std::transform(cell.begin(), cell.end(), cell.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (cell == "true" || cell == "1") return true;
  if (cell == "false" || cell == "0") return false;
  return {};
}

const std::string &cellOf(const data::Array &text, std::size_t row) { return text.classNames[static_cast<std::size_t>(text.value(row))]; }

/// Columns side by side.
Array fromCsv(const std::string &path, DType type) {
  data::Arrays columns;
  std::string error;
  if (!data::readCsv(path, columns, error)) throw UserError(error);
  if (columns.empty() || columns[0].rows() == 0) throw UserError(fmt::format("'{}' holds no numbers", path));
  for (data::Array &c : columns)
    if (c.isText && type == DType::Bool) c = conditionsOf(c);
  for (const data::Array &c : columns)
    for (std::size_t row = 0; c.isText && row < c.rows(); ++row)
      if (!data::isNumber(cellOf(c, row)))
        throw UserError(fmt::format("{} is '{}', expected a number", data::place(c, row), cellOf(c, row)));
  Array a;
  a.shape = {static_cast<std::int64_t>(columns[0].rows()), static_cast<std::int64_t>(columns.size())};
  for (std::size_t row = 0; row < columns[0].rows(); ++row)
    for (const data::Array &c : columns) a.values.push_back(c.value(row));
  if (columns.size() == 1) a.shape.pop_back();
  return a;
}

} // namespace

data::Type dataType(DType type) {
  switch (type) {
  case DType::F32: return data::Type::f32;
  case DType::I32: return data::Type::i32;
  case DType::U8: return data::Type::u8;
  case DType::Bool: return data::Type::boolean;
  }
  internalError("unknown element type");
}

bool saysConditions(const data::Array &text) {
  return text.isText && std::all_of(text.classNames.begin(), text.classNames.end(), conditionIn);
}

data::Array conditionsOf(const data::Array &text) {
  data::Array a = text;
  a.type = data::Type::boolean;
  a.isText = false;
  a.bytes.clear();
  for (std::size_t row = 0; row < text.rows(); ++row) {
    const std::optional<bool> condition = conditionIn(cellOf(text, row));
    if (!condition) throw UserError(fmt::format("{} is '{}', expected true or false", data::place(text, row), cellOf(text, row)));
    a.bytes.push_back(*condition);
  }
  a.classNames.clear();
  return a;
}

Array readArray(const std::string &path, DType type) {
  if (path.ends_with(".npy")) return fromNpy(path);
  if (path.ends_with(".csv")) return fromCsv(path, type);
  throw UserError(fmt::format("'{}': expected a file that ends in .npy or .csv", path));
}

void writeArray(const std::string &path, const Array &a, DType type) {
  data::Array file;
  file.type = dataType(type);
  file.shape = a.shape;
  file.bytes = toBytes(a.values, type);
  std::string error;
  if (!data::writeNpy(path, file, error)) throw UserError(error);
}

std::string describe(const std::vector<std::int64_t> &shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::string describe(DType type, const std::vector<std::int64_t> &shape) {
  return fmt::format("{}{}", netc::name(type), describe(shape));
}

std::string printed(const std::string &name, const Array &a, DType type) {
  std::string text = fmt::format("{}: {}\n", name, describe(type, a.shape));
  std::size_t row = a.shape.empty() ? 1 : static_cast<std::size_t>(a.shape.back());
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    text += i % row == 0 ? "  " : " ";
    text += shortFigure(a.values[i]);
    if ((i + 1) % row == 0) text += '\n';
  }
  return text;
}

} // namespace netc::driver
