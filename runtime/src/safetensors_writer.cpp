#include "safetensors.h"

#include <cstdio>
#include <cstring>

namespace netc {

void SafetensorsWriter::begin() {
  put("\0\0\0\0\0\0\0\0", 8);
  put("{");
}

void SafetensorsWriter::metadata(const char *key, const char *value) {
  put(hasMetadata_ ? "," : "\"__metadata__\":{");
  hasMetadata_ = true;
  putString(key);
  put(":");
  putString(value);
}

void SafetensorsWriter::tensor(const char *name, const std::int64_t *shape, std::int64_t rank,
                               std::size_t bytes) {
  if (!hasTensor_ && hasMetadata_)
    put("},");
  else if (hasTensor_)
    put(",");
  hasTensor_ = true;
  putString(name);
  put(":{\"dtype\":\"F32\",\"shape\":[");
  for (std::int64_t axis = 0; axis < rank; ++axis) {
    if (axis) put(",");
    putNumber(static_cast<std::uint64_t>(shape[axis]));
  }
  put("],\"data_offsets\":[");
  putNumber(offset_);
  put(",");
  putNumber(offset_ += bytes);
  put("]}");
}

void SafetensorsWriter::endHeader() {
  put(hasMetadata_ && !hasTensor_ ? "}}" : "}");
  while (size_ % 8 != 0) // the data begins at a multiple of 8
    put(" ");
  std::uint64_t length = size_ - 8;
  for (int i = 0; buffer_ && i < 8; ++i)
    buffer_[i] = static_cast<unsigned char>(length >> (8 * i));
}

void SafetensorsWriter::put(const void *bytes, std::size_t size) {
  if (buffer_ && size) std::memcpy(buffer_ + size_, bytes, size);
  size_ += size;
}

void SafetensorsWriter::put(const char *text) {
  put(text, std::strlen(text));
}

void SafetensorsWriter::putNumber(std::uint64_t number) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%llu", static_cast<unsigned long long>(number));
  put(digits);
}

void SafetensorsWriter::putString(const char *text) {
  put("\"");
  for (; *text; ++text) {
    unsigned char c = static_cast<unsigned char>(*text);
    char escaped[8] = {static_cast<char>(c)};
    if (c < 0x20)
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
    else if (c == '"' || c == '\\')
      std::snprintf(escaped, sizeof escaped, "\\%c", c);
    put(escaped);
  }
  put("\"");
}

} // namespace netc
