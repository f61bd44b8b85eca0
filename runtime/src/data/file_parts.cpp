#include "file_parts.h"

#include "file_bytes.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace netc::data {

bool staysInFile(const std::string &path, std::size_t inMemory) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) ||
      static_cast<std::size_t>(info.st_size) <= inMemory)
    return false;
  std::vector<unsigned char> bytes;
  std::size_t size = 0;
  std::string error;
  const bool gzipped =
      readHead(path, 2, bytes, size, error) && bytes.size() == 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  return !gzipped;
}

bool readHead(const std::string &path, std::size_t most, std::vector<unsigned char> &bytes, std::size_t &size,
              std::string &error) {
  FilePart part;
  struct stat info = {};
  if (!openPart(path, 0, 0, 0, part, error)) return false;
  if (fstat(*part.file, &info) != 0)
    return failAt(error, path, std::string("cannot read: ") + std::strerror(errno));
  size = static_cast<std::size_t>(info.st_size);
  bytes.resize(size < most ? size : most);
  return readPiece(part, 0, bytes.size(), bytes.data(), error);
}

bool openPart(const std::string &path, std::uint64_t begin, std::size_t stride, std::size_t rows,
              FilePart &part, std::string &error) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failAt(error, path, std::string("cannot open: ") + std::strerror(errno));
  const auto closed = [](const int *f) {
    close(*f);
    delete f;
  };
  part = {path, std::shared_ptr<const int>(new int(file), closed), begin, stride, rows};
  return true;
}

bool readPiece(const FilePart &part, std::uint64_t offset, std::size_t count, void *out, std::string &error) {
  unsigned char *to = static_cast<unsigned char *>(out);
  while (count > 0) {
    const ssize_t got = pread(*part.file, to, count, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return failAt(error, part.path,
                    got == 0 ? "truncated while it was read" : std::string("cannot read: ") + std::strerror(errno));
    to += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

bool readSample(const Array &array, std::size_t row, void *out, std::string &error) {
  const std::size_t size = array.rowBytes();
  for (const FilePart &part : array.parts) {
    if (row < part.rows) return readPiece(part, part.begin + row * part.stride, size, out, error);
    row -= part.rows;
  }
  std::memcpy(out, array.bytes.data() + row * size, size);
  return true;
}

bool readAtOnce(const Array &array, std::size_t row, void *out) {
  const std::size_t size = array.rowBytes();
  for (const FilePart &part : array.parts) {
    if (row < part.rows) {
      const off_t at = static_cast<off_t>(part.begin + row * part.stride);
      const iovec whole = {out, size};
      if (preadv2(*part.file, &whole, 1, at, RWF_NOWAIT) == static_cast<ssize_t>(size)) return true;
      posix_fadvise(*part.file, at, static_cast<off_t>(size), POSIX_FADV_WILLNEED);
      return false;
    }
    row -= part.rows;
  }
  std::memcpy(out, array.bytes.data() + row * size, size);
  return true;
}

bool load(Array &array, std::string &error) {
  if (array.parts.empty()) return true;
  std::vector<unsigned char> bytes(array.rows() * array.rowBytes());
  for (std::size_t row = 0; row < array.rows(); ++row)
    if (!readSample(array, row, bytes.data() + row * array.rowBytes(), error)) return false;
  array.bytes = static_cast<std::vector<unsigned char> &&>(bytes);
  array.parts.clear();
  return true;
}

} // namespace netc::data
