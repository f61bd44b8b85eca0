#include "compiler/driver/checkpoint_file.h"

#include "compiler/driver/compiled_model.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

namespace netc::driver {
namespace {

// {"__metadata__":{..., "train.position":"...", ...},"conv1.weight":{...
constexpr std::string_view metadataEnd = "},\"", note = ",\"train.";
constexpr std::size_t lengthBytes = 8;

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
  std::string bytes = stateBytes(core), added;
  for (const auto &[key, value] : notes) added += fmt::format("{}{}\":\"{}\"", note, key, value);
  const std::size_t headerEnd = lengthBytes + headerOf(bytes).size(), at = bytes.find(metadataEnd);
  if (at >= headerEnd) internalError("a state begins with its metadata");
  const std::string padding((lengthBytes - added.size() % lengthBytes) % lengthBytes, ' '); // the data begin at a multiple of 8
  bytes.insert(headerEnd, padding);
  bytes.insert(at, added);
  const std::uint64_t length = headerEnd - lengthBytes + padding.size() + added.size();
  std::memcpy(bytes.data(), &length, lengthBytes);
  sealState(reinterpret_cast<unsigned char *>(bytes.data()), bytes.size());
  return bytes;
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
