#include "seal.h"

#include "netc/model.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace netc {
namespace {

constexpr char opening[] = "{\"__metadata__\":{\"crc32\":\"";
constexpr std::size_t openingAt = 8, digits = 8, digitsAt = openingAt + sizeof opening - 1; // the header's length stands before

constexpr std::array<std::uint32_t, 256> remainders() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    table[byte] = byte;
    for (int bit = 0; bit < 8; ++bit) table[byte] = table[byte] >> 1 ^ (table[byte] & 1 ? 0xEDB88320u : 0);
  }
  return table;
}

bool isSealed(const unsigned char *bytes, std::size_t size) {
  return size >= digitsAt + digits && !std::memcmp(bytes + openingAt, opening, sizeof opening - 1);
}

void checksum(const unsigned char *bytes, std::size_t size, char (&text)[digits + 1]) {
  static constexpr std::array<std::uint32_t, 256> table = remainders();
  std::uint32_t crc = ~0u;
  for (std::size_t i = 0; i < size; ++i) {
    const unsigned char byte = i - digitsAt < digits ? '0' : bytes[i];
    crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF];
  }
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(~crc));
}

} // namespace

void sealState(unsigned char *bytes, std::size_t size) noexcept {
  char text[digits + 1];
  if (!isSealed(bytes, size)) return;
  checksum(bytes, size, text);
  std::memcpy(bytes + digitsAt, text, digits);
}

bool isSealWhole(const unsigned char *bytes, std::size_t size) {
  char text[digits + 1];
  if (!isSealed(bytes, size)) return true;
  checksum(bytes, size, text);
  return !std::memcmp(bytes + digitsAt, text, digits);
}

} // namespace netc
