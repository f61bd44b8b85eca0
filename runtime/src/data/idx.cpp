#include "file_bytes.h"
#include "file_parts.h"
#include "netc/data.h"

namespace netc::data {
namespace {

constexpr std::size_t highestRank = 16;

// The type byte of the magic number; i16 (0x0B) is not supported.
bool typeOf(unsigned char code, Type *type) {
  switch (code) {
  case 0x08:
    *type = Type::u8;
    return true;
  case 0x09:
    *type = Type::i8;
    return true;
  case 0x0C:
    *type = Type::i32;
    return true;
  case 0x0D:
    *type = Type::f32;
    return true;
  case 0x0E:
    *type = Type::f64;
    return true;
  }
  return false;
}

std::uint32_t bigEndian(const unsigned char *b) {
  return static_cast<std::uint32_t>(b[0]) << 24 | static_cast<std::uint32_t>(b[1]) << 16 |
         static_cast<std::uint32_t>(b[2]) << 8 | b[3];
}

void swapBytes(std::vector<unsigned char> &bytes, std::size_t width) {
  for (std::size_t i = 0; i + width <= bytes.size(); i += width)
    for (std::size_t k = 0; k < width / 2; ++k) {
      unsigned char held = bytes[i + k];
      bytes[i + k] = bytes[i + width - 1 - k];
      bytes[i + width - 1 - k] = held;
    }
}

std::string hex(const std::vector<unsigned char> &bytes) {
  std::string text;
  for (std::size_t i = 0; i < 4; ++i) {
    const char *digits = "0123456789abcdef";
    text += {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
  }
  return text;
}

// From the first bytes of a file: type, extents and where the data begin.
bool parseHeader(const std::string &path, const std::vector<unsigned char> &bytes, std::size_t fileSize, Array &result,
                 std::size_t &header, std::string &error) {
  if (bytes.empty()) return failAt(error, path, "empty, expected an IDX file");
  if (bytes.size() < 4)
    return failAt(error, path,
                  "truncated: " + std::to_string(bytes.size()) + " bytes, expected an IDX header");
  std::size_t rank = bytes[3];
  header = 4 + 4 * rank;
  if (bytes[0] || bytes[1] || !typeOf(bytes[2], &result.type) || rank < 1 || rank > highestRank)
    return failAt(error, path,
                  "magic number " + hex(bytes) + ", expected that of an IDX file such as 00000803");
  if (bytes.size() < header)
    return failAt(error, path,
                  "truncated: " + std::to_string(bytes.size()) + " bytes, the header has " +
                      std::to_string(header));
  std::uint64_t size = bytesOf(result.type);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::uint32_t extent = bigEndian(&bytes[4 + 4 * axis]);
    result.shape.push_back(extent);
    if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(extent), &size))
      return failAt(error, path, "extents " + shapeText(result.shape) + " are too large");
  }
  if (size != fileSize - header)
    return failAt(error, path,
                  std::string(size > fileSize - header ? "truncated: " : "") +
                      std::to_string(fileSize - header) + " bytes of data, expected " + std::to_string(size) +
                      " for " + text(result.type) + shapeText(result.shape));
  result.file = path;
  return true;
}

} // namespace

bool readIdx(const std::string &path, Array &array, std::string &error, std::size_t inMemory) {
  std::vector<unsigned char> bytes;
  Array result;
  std::size_t header = 0, size = 0;
  if (staysInFile(path, inMemory)) {
    if (!readHead(path, 4 + 4 * highestRank, bytes, size, error) ||
        !parseHeader(path, bytes, size, result, header, error))
      return false;
    if (bytesOf(result.type) == 1) {
      result.parts.resize(1);
      if (!openPart(path, header, result.rowBytes(), result.rows(), result.parts[0], error)) return false;
      array = static_cast<Array &&>(result);
      return true;
    }
    result = Array();
  }
  if (!readBytes(path, bytes, error) || !parseHeader(path, bytes, bytes.size(), result, header, error))
    return false;
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  swapBytes(bytes, bytesOf(result.type));
  result.bytes = static_cast<std::vector<unsigned char> &&>(bytes);
  array = static_cast<Array &&>(result);
  return true;
}

} // namespace netc::data
