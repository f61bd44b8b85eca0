#include "file_bytes.h"

#include "../failure.h"
#include "../file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <sys/stat.h>
#ifdef NETC_HAVE_ZLIB
#include <zlib.h>
#endif

namespace netc::data {
namespace {

constexpr std::size_t chunk = std::size_t{1} << 20;

bool readPlain(std::FILE *file, const std::string &path, std::vector<unsigned char> &bytes,
               std::string &error) {
  std::size_t size = 0, got = 0;
  do {
    bytes.resize(size + chunk);
    got = std::fread(bytes.data() + size, 1, chunk, file);
    size += got;
  } while (got > 0);
  bytes.resize(size);
  return !std::ferror(file) || failAt(error, path, std::string("cannot read: ") + std::strerror(errno));
}

#ifdef NETC_HAVE_ZLIB
bool readGzip(const std::string &path, std::vector<unsigned char> &bytes, std::string &error) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (!file) return failAt(error, path, std::string("cannot open: ") + std::strerror(errno));
  std::size_t size = 0;
  int got = 0;
  do {
    bytes.resize(size + chunk);
    got = gzread(file, bytes.data() + size, static_cast<unsigned>(chunk));
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
  } while (got > 0);
  bytes.resize(size);
  int code = Z_OK;
  std::string reason = gzerror(file, &code); // a truncated stream ends without a -1 from gzread
  if (reason.compare(0, path.size() + 2, path + ": ") == 0) reason.erase(0, path.size() + 2);
  gzclose(file);
  return (got == 0 && code == Z_OK) ||
         failAt(error, path, code == Z_BUF_ERROR ? "truncated gzip data" : "damaged gzip data: " + reason);
}

bool inflateAll(const unsigned char *from, std::size_t count, std::vector<unsigned char> &bytes) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false; // negative: no zlib header
  stream.next_in = const_cast<unsigned char *>(from);
  stream.avail_in = static_cast<unsigned>(count);
  stream.next_out = bytes.data();
  stream.avail_out = static_cast<unsigned>(bytes.size());
  int code = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return code == Z_STREAM_END && stream.avail_out == 0;
}
#else
bool readGzip(const std::string &path, std::vector<unsigned char> &, std::string &error) {
  return failAt(error, path, "gzip data, and this netc was built without zlib");
}
#endif

} // namespace

bool failAt(std::string &error, const std::string &path, const std::string &what) {
  error = path + ": " + what;
  return false;
}

bool readBytes(const std::string &path, std::vector<unsigned char> &bytes, std::string &error) {
  if (folderExists(path)) return failAt(error, path, "is a folder, expected a file");
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file) return failAt(error, path, std::string("cannot open: ") + std::strerror(errno));
  bytes.clear();
  bool good = readPlain(file, path, bytes, error);
  std::fclose(file);
  bool isGzip = good && bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  return isGzip ? readGzip(path, bytes, error) : good;
}

#ifdef NETC_HAVE_ZLIB
bool inflated(const std::string &path, const unsigned char *from, std::size_t count, std::size_t size,
              std::vector<unsigned char> &bytes, std::string &error) {
  constexpr std::size_t mostExpansion = 1032; // of deflate: no memory is asked for that it could not fill
  if (size / mostExpansion > count) return failAt(error, path, "damaged compressed data");
  bytes.resize(size);
  return inflateAll(from, count, bytes) || failAt(error, path, "damaged compressed data");
}

bool hasChecksum(const std::vector<unsigned char> &bytes, std::uint32_t crc) {
  return crc32(0, bytes.data(), static_cast<unsigned>(bytes.size())) == crc;
}
#else
bool inflated(const std::string &path, const unsigned char *, std::size_t, std::size_t,
              std::vector<unsigned char> &, std::string &error) {
  return failAt(error, path, "compressed data, and this netc was built without zlib");
}

bool hasChecksum(const std::vector<unsigned char> &, std::uint32_t) {
  return true;
}
#endif

bool writeBytes(const std::string &path, const std::vector<unsigned char> &bytes, std::string &error) {
  char message[messageSize] = "";
  if (writeFile(path.c_str(), bytes.data(), bytes.size(), message) == Status::ok) return true;
  error = message;
  return false;
}

bool fileExists(const std::string &path) {
  struct stat about;
  return stat(path.c_str(), &about) == 0 && !S_ISDIR(about.st_mode);
}

bool folderExists(const std::string &path) {
  struct stat about;
  return stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

std::vector<std::string> namesIn(const std::string &folder) {
  std::vector<std::string> names;
  DIR *directory = opendir(folder.c_str());
  if (!directory) return names;
  while (const dirent *entry = readdir(directory))
    names.push_back(entry->d_name);
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

std::string stem(const std::string &path) {
  std::size_t slash = path.find_last_of('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.find('.', 1));
}

bool endsWith(const std::string &text, const char *end) {
  std::size_t length = std::strlen(end);
  return text.size() >= length && text.compare(text.size() - length, length, end) == 0;
}

std::string shapeText(const std::vector<std::int64_t> &shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

} // namespace netc::data
