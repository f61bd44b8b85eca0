#include "compiler/support/text_file.h"

#include "compiler/support/diagnostics.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace netc {

std::string readFile(const std::string &path) {
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec))
    throw UserError(fmt::format("cannot read '{}': it is a folder", path));
  std::FILE *f = std::fopen(path.c_str(), "rb");
  if (!f) throw UserError(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  std::string bytes;
  char buffer[1 << 16];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, f)) bytes.append(buffer, n);
  const bool bad = std::ferror(f);
  std::fclose(f);
  if (bad) throw UserError(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  return bytes;
}

std::string behindLinks(const std::string &path) {
  namespace fs = std::filesystem;
  fs::path target = path;
  constexpr int mostLinks = 40; // as the kernel
  for (int i = 0; i < mostLinks; ++i) {
    std::error_code ec;
    const fs::path link = fs::read_symlink(target, ec);
    if (ec) return target.string();
    target = target.parent_path() / link;
  }
  throw UserError(fmt::format("cannot write '{}': {}", path, std::strerror(ELOOP)));
}

namespace {

[[noreturn]] void cannotWrite(const std::string &path, int error) {
  throw UserError(fmt::format("cannot write '{}': {}", path, std::strerror(error)));
}

/// 0, or the error; closes the file. With `sync` it is on the disk then.
int put(int file, const std::string &bytes, bool sync) {
  int error = 0;
  for (std::size_t at = 0; at < bytes.size() && error == 0;) {
    const ssize_t n = ::write(file, bytes.data() + at, bytes.size() - at);
    if (n > 0) at += static_cast<std::size_t>(n);
    else if (n < 0 && errno != EINTR) error = errno;
  }
  if (error == 0 && sync && ::fsync(file) != 0) error = errno;
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

/// Devices and pipes hold nothing that could be kept whole.
void writeInPlace(const std::string &path, const std::string &bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file < 0 && errno == ENXIO) throw UserError(fmt::format("'{}' is not a regular file", path)); // a pipe without a reader
  if (file < 0) cannotWrite(path, errno);
  ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) & ~O_NONBLOCK); // only the opening must not wait
  if (const int error = put(file, bytes, /*sync=*/false)) cannotWrite(path, error);
}

/// A rename lasts from when its folder is on the disk.
void syncFolder(const std::string &file) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  const int opened = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return; // a folder that may not be read; the file itself is synced
  ::fsync(opened);
  ::close(opened);
}

} // namespace

void writeFile(const std::string &path, const std::string &bytes) {
  namespace fs = std::filesystem;
  std::error_code ec;
  const auto status = fs::status(path, ec);
  if (fs::is_character_file(status) || fs::is_fifo(status)) return writeInPlace(path, bytes);
  if (fs::is_directory(status)) cannotWrite(path, EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status)) throw UserError(fmt::format("'{}' is not a regular file", path));
  const std::string target = behindLinks(path);
  // A link of /proc to an open file that has no name any more.
  if (fs::exists(status) && !fs::equivalent(path, target, ec)) return writeInPlace(path, bytes);
  const std::string temporary = fmt::format("{}.tmp{}", target, ::getpid());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) cannotWrite(path, errno);
  int error = put(file, bytes, /*sync=*/true);
  if (error == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error == 0) return syncFolder(target);
  std::remove(temporary.c_str());
  cannotWrite(path, error);
}

} // namespace netc
