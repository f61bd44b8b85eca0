#include "file_bytes.h"
#include "netc/data.h"

#include <cmath>
#include <cstring>

namespace netc::data {
namespace {

template <class T> double valueAs(const unsigned char *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

template <class T> void put(unsigned char *bytes, T value) {
  std::memcpy(bytes, &value, sizeof value);
}

// The least and greatest double that an integer type holds.
bool range(Type type, double *low, double *high) {
  switch (type) {
  case Type::f32:
  case Type::f64:
    return false;
  case Type::i32:
    *low = -2147483648.0, *high = 2147483647.0;
    return true;
  case Type::i64:
    *low = -0x1p53, *high = 0x1p53;
    return true;
  case Type::i8:
    *low = -128, *high = 127;
    return true;
  case Type::u8:
    *low = 0, *high = 255;
    return true;
  case Type::boolean:
    *low = 0, *high = 1;
    return true;
  }
  return false;
}

void putAs(Type type, unsigned char *bytes, double value) {
  switch (type) {
  case Type::f32:
    put(bytes, static_cast<float>(value));
    break;
  case Type::f64:
    put(bytes, value);
    break;
  case Type::i32:
    put(bytes, static_cast<std::int32_t>(value));
    break;
  case Type::i64:
    put(bytes, static_cast<std::int64_t>(value));
    break;
  case Type::i8:
    put(bytes, static_cast<std::int8_t>(value));
    break;
  case Type::u8:
  case Type::boolean:
    put(bytes, static_cast<std::uint8_t>(value));
    break;
  }
}

std::string numberText(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

} // namespace

std::size_t bytesOf(Type type) {
  switch (type) {
  case Type::f64:
  case Type::i64:
    return 8;
  case Type::f32:
  case Type::i32:
    return 4;
  case Type::i8:
  case Type::u8:
  case Type::boolean:
    return 1;
  }
  return 1;
}

const char *text(Type type) {
  switch (type) {
  case Type::f32:
    return "f32";
  case Type::f64:
    return "f64";
  case Type::i32:
    return "i32";
  case Type::i64:
    return "i64";
  case Type::i8:
    return "i8";
  case Type::u8:
    return "u8";
  case Type::boolean:
    return "bool";
  }
  return "?";
}

std::size_t Array::elements() const {
  return parts.empty() ? bytes.size() / bytesOf(type) : rows() * (rowBytes() / bytesOf(type));
}

std::size_t Array::rowBytes() const {
  std::size_t size = bytesOf(type);
  for (std::size_t axis = 1; axis < shape.size(); ++axis)
    size *= static_cast<std::size_t>(shape[axis]);
  return size;
}

double Array::value(std::size_t element) const {
  const unsigned char *place = bytes.data() + element * bytesOf(type);
  switch (type) {
  case Type::f32:
    return valueAs<float>(place);
  case Type::f64:
    return valueAs<double>(place);
  case Type::i32:
    return valueAs<std::int32_t>(place);
  case Type::i64:
    return valueAs<std::int64_t>(place);
  case Type::i8:
    return valueAs<std::int8_t>(place);
  case Type::u8:
  case Type::boolean:
    return valueAs<std::uint8_t>(place);
  }
  return 0;
}

const Array *find(const Arrays &arrays, const std::string &name) {
  for (const Array &array : arrays)
    if (array.name == name) return &array;
  return nullptr;
}

std::string place(const Array &array, std::size_t element) {
  std::size_t rows = array.rows(), perRow = rows ? array.elements() / rows : 1;
  std::size_t row = perRow ? element / perRow : 0;
  if (array.field && row < array.lines.size()) {
    std::size_t field = array.field + (perRow ? element % perRow : 0);
    return cellPlace(array.file, array.lines[row], field) + ": field " + std::to_string(field);
  }
  return (array.file.empty() ? array.name : array.file) + ": sample " + std::to_string(row) + " (from 0)";
}

bool convert(const Array &from, Type type, Array &out, std::string &error) {
  Array result;
  result.name = from.name;
  result.type = type;
  result.shape = from.shape;
  result.classNames = from.classNames;
  result.isText = from.isText;
  result.file = from.file;
  result.field = from.field;
  result.lines = from.lines;
  if (type == from.type) {
    result.bytes = from.bytes;
    out = static_cast<Array &&>(result);
    return true;
  }
  double low = 0, high = 0;
  bool isInteger = range(type, &low, &high);
  result.bytes.resize(from.elements() * bytesOf(type));
  for (std::size_t i = 0; i < from.elements(); ++i) {
    double value = from.value(i);
    bool overflows = type == Type::f32 && std::isfinite(value) && !std::isfinite(static_cast<float>(value));
    if (overflows || (isInteger && !(value >= low && value <= high && value == std::floor(value)))) {
      error = place(from, i) + " is " + numberText(value) + ", expected " + text(type);
      return false;
    }
    putAs(type, result.bytes.data() + i * bytesOf(type), value);
  }
  out = static_cast<Array &&>(result);
  return true;
}

void gather(const Array &array, const std::uint32_t *rows, std::size_t count, void *out) {
  std::size_t size = array.rowBytes();
  unsigned char *to = static_cast<unsigned char *>(out);
  for (std::size_t i = 0; i < count; ++i, to += size)
    std::memcpy(to, array.bytes.data() + rows[i] * size, size);
}

} // namespace netc::data
