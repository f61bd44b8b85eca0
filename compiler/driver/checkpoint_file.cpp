#include "compiler/driver/checkpoint_file.h"

#include "compiler/driver/compiled_model.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cstring>
#include <string_view>

namespace netc::driver {
namespace {

// {"__metadata__":{"crc32":"0123abcd","size":"...","netc.position":"...",...
constexpr std::string_view begin = "{\"__metadata__\":{";
constexpr std::string_view checksum = "\"crc32\":\"", size = "\",\"size\":\"", note = "\"train.";
constexpr std::size_t lengthBytes = 8, digits = 8, sizeDigits = 20;
constexpr std::size_t checksumAt = lengthBytes + begin.size() + checksum.size(), sizeAt = checksumAt + digits + size.size();

/// Of all bytes, the checksum's own taken as zeros.
std::string checksumOf(std::string bytes) {
  bytes.replace(checksumAt, digits, digits, '0');
  auto *data = reinterpret_cast<const Bytef *>(bytes.data());
  return fmt::format("{:08x}", crc32_z(0, data, bytes.size()));
}

std::string stateBytes(const Core &core) {
  std::size_t needed = 0;
  require(core.saveState(nullptr, &needed), core, "saving the state");
  std::string bytes(needed, '\0');
  require(core.saveState(bytes.data(), &needed), core, "saving the state");
  return bytes;
}

std::string_view headerOf(const std::string &bytes) {
  std::uint64_t length = 0; // little-endian, as the machine
  std::memcpy(&length, bytes.data(), lengthBytes);
  return std::string_view(bytes).substr(lengthBytes, length);
}

} // namespace

std::string checkpointBytes(const Core &core, const Notes &notes) {
  std::string bytes = stateBytes(core);
  if (bytes.compare(lengthBytes, begin.size(), begin) != 0) internalError("a state begins with its metadata");
  std::string added = fmt::format("{}{:0>{}}{}{:0>{}}\",", checksum, "", digits, size, "", sizeDigits);
  for (const auto &[key, value] : notes) added += fmt::format("{}{}\":\"{}\",", note, key, value);
  std::size_t headerEnd = lengthBytes + headerOf(bytes).size();
  std::string padding((lengthBytes - added.size() % lengthBytes) % lengthBytes, ' '); // the data begin at a multiple of 8
  bytes.insert(headerEnd, padding);
  bytes.insert(lengthBytes + begin.size(), added);
  std::uint64_t length = headerEnd - lengthBytes + padding.size() + added.size();
  std::memcpy(bytes.data(), &length, lengthBytes);
  bytes.replace(sizeAt, sizeDigits, fmt::format("{:020}", bytes.size()));
  bytes.replace(checksumAt, digits, checksumOf(bytes));
  return bytes;
}

std::string damageOf(const std::string &bytes) {
  if (bytes.size() < sizeAt + sizeDigits) return fmt::format("truncated to {} bytes", bytes.size());
  std::string whole = bytes.substr(sizeAt, sizeDigits);
  if (std::string is = fmt::format("{:020}", bytes.size()); is < whole && whole.find_first_not_of("0123456789") == std::string::npos)
    return fmt::format("truncated to {} of {} bytes", bytes.size(), whole.substr(whole.find_first_not_of('0')));
  if (bytes.substr(checksumAt, digits) != checksumOf(bytes)) return "its checksum does not match";
  return "";
}

Notes notesOf(const std::string &bytes) {
  Notes notes;
  std::string_view header = headerOf(bytes);
  for (std::size_t at = header.find(note); at != std::string_view::npos; at = header.find(note, at + 1)) {
    std::string_view rest = header.substr(at + note.size());
    std::size_t middle = rest.find("\":\""), end = rest.find('"', middle + 3);
    notes[std::string(rest.substr(0, middle))] = rest.substr(middle + 3, end - middle - 3);
  }
  return notes;
}

} // namespace netc::driver
