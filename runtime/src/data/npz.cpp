// NumPy's .npz: a zip archive of .npy files, stored (savez) or deflated (savez_compressed).
#include "file_bytes.h"
#include "npy.h"

#include <cstring>

namespace netc::data {
namespace {

using Bytes = std::vector<unsigned char>;

std::size_t little(const unsigned char *at, std::size_t width) {
  std::size_t value = 0;
  for (std::size_t i = width; i-- > 0;)
    value = value << 8 | at[i];
  return value;
}

// An entry of the directory at the end of the archive.
struct Member {
  std::string name;
  std::size_t method, crc, packed, size, header; // `header`: where its local header stands
};

constexpr std::size_t endSize = 22, entrySize = 46, localSize = 30;
constexpr unsigned char endMark[] = {'P', 'K', 5, 6}, entryMark[] = {'P', 'K', 1, 2},
                        localMark[] = {'P', 'K', 3, 4};

bool marked(const Bytes &bytes, std::size_t at, std::size_t size, const unsigned char *mark) {
  return at <= bytes.size() && bytes.size() - at >= size && !std::memcmp(&bytes[at], mark, 4);
}

// The end record stands last, before a comment.
bool findEnd(const Bytes &bytes, std::size_t *end) {
  constexpr std::size_t longestComment = 0xffff;
  for (std::size_t back = endSize; back <= bytes.size() && back <= endSize + longestComment; ++back)
    if (marked(bytes, *end = bytes.size() - back, endSize, endMark)) return true;
  return false;
}

bool readDirectory(const std::string &path, const Bytes &bytes, std::vector<Member> &members,
                   std::string &error) {
  std::size_t end = 0;
  if (!findEnd(bytes, &end))
    return failAt(error, path,
                  bytes.empty()                    ? "empty, expected an .npz file"
                  : marked(bytes, 0, 4, localMark) ? "truncated: an .npz file without its end"
                                                   : "not an .npz file");
  std::size_t count = little(&bytes[end + 10], 2), at = little(&bytes[end + 16], 4);
  for (; count > 0; --count) {
    if (!marked(bytes, at, entrySize, entryMark))
      return failAt(error, path, "damaged directory of the archive");
    const unsigned char *entry = &bytes[at];
    std::size_t name = little(entry + 28, 2),
                next = at + entrySize + name + little(entry + 30, 2) + little(entry + 32, 2);
    if (next > end) return failAt(error, path, "damaged directory of the archive");
    members.push_back({std::string(entry + entrySize, entry + entrySize + name), little(entry + 10, 2),
                       little(entry + 16, 4), little(entry + 20, 4), little(entry + 24, 4),
                       little(entry + 42, 4)});
    constexpr std::size_t inZip64 = 0xffffffff;
    if (members.back().size == inZip64 || members.back().packed == inZip64 ||
        members.back().header == inZip64)
      return failAt(error, path, "larger than 4 GB, expected a smaller archive or .npy files");
    at = next;
  }
  return members.size() > 0 || failAt(error, path, "holds no array");
}

// The member's own bytes.
bool unpack(const std::string &place, const Bytes &bytes, const Member &member, Bytes &content,
            std::string &error) {
  if (!marked(bytes, member.header, localSize, localMark)) return failAt(error, place, "damaged archive");
  const unsigned char *local = &bytes[member.header];
  std::size_t from = member.header + localSize + little(local + 26, 2) + little(local + 28, 2);
  if (from > bytes.size() || bytes.size() - from < member.packed) return failAt(error, place, "truncated");
  constexpr std::size_t stored = 0, deflated = 8;
  if (member.method == deflated) {
    if (!inflated(place, bytes.data() + from, member.packed, member.size, content, error)) return false;
  } else if (member.method == stored && member.packed == member.size) {
    auto first = bytes.begin() + static_cast<std::ptrdiff_t>(from);
    content.assign(first, first + static_cast<std::ptrdiff_t>(member.size));
  } else {
    return failAt(error, place,
                  "compressed by method " + std::to_string(member.method) + ", expected deflate");
  }
  return hasChecksum(content, static_cast<std::uint32_t>(member.crc)) ||
         failAt(error, place, "damaged: wrong checksum");
}

} // namespace

bool readNpz(const std::string &path, Arrays &arrays, std::string &error) {
  Bytes bytes, content;
  std::vector<Member> members;
  if (!readBytes(path, bytes, error) || !readDirectory(path, bytes, members, error)) return false;
  Arrays result;
  for (const Member &member : members) {
    Array array;
    std::string name =
        endsWith(member.name, ".npy") ? member.name.substr(0, member.name.size() - 4) : member.name;
    std::string place = path + ": " + name;
    if (find(result, name)) return failAt(error, place, "is there twice");
    if (!unpack(place, bytes, member, content, error) || !parseNpy(place, content, array, error))
      return false;
    array.name = name;
    result.push_back(array);
  }
  arrays = static_cast<Arrays &&>(result);
  return true;
}

} // namespace netc::data
