#include "compiler/driver/arrays.h"

#include "compiler/support/diagnostics.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <string_view>

namespace netc::driver {
namespace {

std::int64_t elementCount(const std::vector<std::int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

// --- .npy: magic, version, header length, a Python dictionary, data ---

struct NpyHeader {
  char kind = 'f'; // f, i, u, b
  int size = 4;
  bool fortran = false;
  std::vector<std::int64_t> shape;
  std::size_t dataStart = 0;
};

[[noreturn]] void badNpy(const std::string &path, std::string_view why) {
  throw UserError(fmt::format("'{}' is not a .npy file that netc reads: {}", path, why));
}

/// The text after `'key':` in the header's dictionary.
std::string_view entryOf(const std::string &path, std::string_view dictionary, std::string_view key) {
  std::size_t at = dictionary.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos) badNpy(path, fmt::format("its header has no '{}'", key));
  std::string_view rest = dictionary.substr(at + key.size() + 3);
  return rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
}

void readShape(const std::string &path, std::string_view text, NpyHeader &h) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  if (!text.starts_with("(") || text.find(')') == std::string_view::npos) badNpy(path, "its shape is not a tuple");
  std::int64_t total = 1;
  std::string inner(text.substr(1, text.find(')') - 1));
  for (const char *p = inner.c_str(); *p;) {
    char *end = nullptr;
    std::int64_t extent = std::strtoll(p, &end, 10);
    if (end == p) break;
    if (extent < 0 || extent > most || (extent > 0 && total > most / extent)) badNpy(path, "its shape is out of range");
    total *= std::max<std::int64_t>(extent, 1);
    h.shape.push_back(extent);
    p = end + std::strspn(end, ", ");
  }
}

NpyHeader readNpyHeader(const std::string &path, const std::string &bytes) {
  if (bytes.size() < 12 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0) badNpy(path, "it does not begin with \\x93NUMPY");
  auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  bool longHeader = byte(6) >= 2;
  std::size_t start = longHeader ? 12 : 10;
  std::size_t length = byte(8) | byte(9) << 8;
  if (longHeader) length |= byte(10) << 16 | byte(11) << 24;
  if (start + length > bytes.size()) badNpy(path, "its header is cut short");
  std::string_view dictionary(bytes.data() + start, length);
  NpyHeader h;
  h.dataStart = start + length;
  std::string_view type = entryOf(path, dictionary, "descr");
  if (type.size() < 5 || (type[0] != '\'' && type[0] != '"') || !std::strchr("<|=", type[1]) || !std::strchr("fiub", type[2]))
    badNpy(path, fmt::format("element type {} (expected little-endian numbers)", type.substr(0, type.find(','))));
  h.kind = type[2];
  h.size = type[3] - '0';
  if (!std::strchr("1248", type[3]) || (h.kind == 'f' && h.size < 4)) badNpy(path, fmt::format("element type {}", type.substr(0, 5)));
  h.fortran = entryOf(path, dictionary, "fortran_order").starts_with("True");
  readShape(path, entryOf(path, dictionary, "shape"), h);
  return h;
}

template <class T> double element(const char *p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return static_cast<double>(value);
}

double npyElement(const NpyHeader &h, const char *p) {
  if (h.kind == 'f') return h.size == 4 ? element<float>(p) : element<double>(p);
  bool isSigned = h.kind == 'i';
  switch (h.size) {
  case 1: return isSigned ? element<std::int8_t>(p) : element<std::uint8_t>(p);
  case 2: return isSigned ? element<std::int16_t>(p) : element<std::uint16_t>(p);
  case 4: return isSigned ? element<std::int32_t>(p) : element<std::uint32_t>(p);
  default: return isSigned ? element<std::int64_t>(p) : element<std::uint64_t>(p);
  }
}

/// The place of row-major element i in a column-major array.
std::int64_t columnMajor(std::int64_t i, const std::vector<std::int64_t> &shape) {
  std::int64_t place = 0, stride = elementCount(shape);
  for (std::size_t d = shape.size(); d-- > 0;) {
    stride /= shape[d];
    place += i % shape[d] * stride;
    i /= shape[d];
  }
  return place;
}

Array readNpy(const std::string &path) {
  std::string bytes = readFile(path);
  NpyHeader h = readNpyHeader(path, bytes);
  std::int64_t count = elementCount(h.shape);
  std::size_t needed = static_cast<std::size_t>(count) * static_cast<std::size_t>(h.size);
  if (bytes.size() - h.dataStart < needed)
    badNpy(path, fmt::format("its data are cut short: {} bytes, expected {} for shape {}", bytes.size() - h.dataStart, needed,
                             describe(h.shape)));
  Array a{h.shape, std::vector<double>(static_cast<std::size_t>(count))};
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t place = h.fortran ? columnMajor(i, h.shape) : i;
    a.values[static_cast<std::size_t>(i)] = npyElement(h, bytes.data() + h.dataStart + place * h.size);
  }
  return a;
}

// --- .csv ---

/// The numbers of a line; false if a field is not a number.
bool parseRow(std::string line, std::vector<double> &row) {
  for (char &c : line)
    if (c == ',' || c == ';' || c == '\t' || c == '\r') c = ' ';
  const char *p = line.c_str();
  for (p += std::strspn(p, " "); *p; p += std::strspn(p, " ")) {
    char *end = nullptr;
    row.push_back(std::strtod(p, &end));
    if (end == p || (*end && *end != ' ')) return false;
    p = end;
  }
  return true;
}

Array readCsv(const std::string &path) {
  std::string bytes = readFile(path);
  Array a;
  std::int64_t rows = 0, columns = 0, lineNumber = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = std::min(bytes.find('\n', at), bytes.size());
    std::string line = bytes.substr(at, end - at);
    at = end + 1;
    ++lineNumber;
    std::vector<double> row;
    bool numbers = parseRow(line, row);
    if (!numbers && rows == 0 && lineNumber == 1) continue; // the header
    if (!numbers) throw UserError(fmt::format("{}:{}: expected numbers, found '{}'", path, lineNumber, line.substr(0, 60)));
    if (row.empty()) continue;
    if (rows > 0 && static_cast<std::int64_t>(row.size()) != columns)
      throw UserError(fmt::format("{}:{}: found {} columns, expected {} as in the rows before", path, lineNumber, row.size(), columns));
    columns = static_cast<std::int64_t>(row.size());
    a.values.insert(a.values.end(), row.begin(), row.end());
    ++rows;
  }
  if (rows == 0) throw UserError(fmt::format("'{}' holds no numbers", path));
  a.shape = columns == 1 ? std::vector<std::int64_t>{rows} : std::vector<std::int64_t>{rows, columns};
  return a;
}

template <class T> void append(std::string &bytes, double value) {
  T v = static_cast<T>(value);
  bytes.append(reinterpret_cast<const char *>(&v), sizeof v);
}

} // namespace

Array readArray(const std::string &path) {
  if (path.ends_with(".npy")) return readNpy(path);
  if (path.ends_with(".csv") || path.ends_with(".txt")) return readCsv(path);
  throw UserError(fmt::format("'{}': expected a file that ends in .npy or .csv", path));
}

void writeNpy(const std::string &path, const Array &a, DType type) {
  const char *descr = type == DType::F32 ? "<f4" : type == DType::I32 ? "<i4" : type == DType::U8 ? "|u1" : "|b1";
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", descr,
                                   fmt::join(a.shape, ", "), a.shape.size() == 1 ? "," : "");
  constexpr std::size_t prefix = 10, alignment = 64;
  while ((prefix + header.size() + 1) % alignment) header += ' ';
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  append<std::uint16_t>(bytes, static_cast<double>(header.size()));
  bytes += header;
  for (double v : a.values) {
    if (type == DType::F32) append<float>(bytes, v);
    else if (type == DType::I32) append<std::int32_t>(bytes, v);
    else append<std::uint8_t>(bytes, v);
  }
  writeFile(path, bytes);
}

std::string describe(const std::vector<std::int64_t> &shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::string describe(DType type, const std::vector<std::int64_t> &shape) {
  return fmt::format("{}{}", netc::name(type), describe(shape));
}

std::string printed(const std::string &name, const Array &a, DType type) {
  std::string text = fmt::format("{}: {}\n", name, describe(type, a.shape));
  std::int64_t row = a.shape.empty() ? 1 : a.shape.back();
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    bool first = row == 0 || static_cast<std::int64_t>(i) % row == 0, last = static_cast<std::int64_t>(i + 1) % row == 0;
    text += first ? "  " : " ";
    text += fmt::format("{:.6g}", a.values[i]);
    if (last) text += '\n';
  }
  return text;
}

} // namespace netc::driver
