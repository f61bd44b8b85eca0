#include "compiler/driver/bytes.h"

#include <cstdint>
#include <cstring>

namespace netc::driver {
namespace {

template <class T> void put(std::vector<unsigned char> &bytes, double value) {
  T v = static_cast<T>(value);
  const auto *p = reinterpret_cast<const unsigned char *>(&v);
  bytes.insert(bytes.end(), p, p + sizeof v);
}

template <class T> double get(const unsigned char *p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return static_cast<double>(v);
}

} // namespace

std::vector<unsigned char> toBytes(const std::vector<double> &values, DType type) {
  std::vector<unsigned char> bytes;
  bytes.reserve(values.size() * static_cast<std::size_t>(byteSize(type)));
  for (double v : values) {
    if (type == DType::F32) put<float>(bytes, v);
    else if (type == DType::I32) put<std::int32_t>(bytes, v);
    else put<std::uint8_t>(bytes, v);
  }
  return bytes;
}

std::vector<double> fromBytes(const std::vector<unsigned char> &bytes, DType type) {
  std::vector<double> values;
  auto size = static_cast<std::size_t>(byteSize(type));
  for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
    const unsigned char *p = bytes.data() + at;
    values.push_back(type == DType::F32 ? get<float>(p) : type == DType::I32 ? get<std::int32_t>(p) : get<std::uint8_t>(p));
  }
  return values;
}

} // namespace netc::driver
