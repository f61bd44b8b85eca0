#include "compiler/driver/growing_file.h"

#include "compiler/support/text_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace netc::driver {
namespace {

/// All of it, or nothing: then errno says why.
bool append(int file, const std::string &bytes) {
  off_t before = ::lseek(file, 0, SEEK_END);
  ssize_t written = ::write(file, bytes.data(), bytes.size());
  if (written == static_cast<ssize_t>(bytes.size())) return true;
  int reason = written < 0 ? errno : ENOSPC;
  if (::ftruncate(file, before) != 0) return false;
  errno = reason;
  return false;
}

} // namespace

void GrowingFile::restart(const std::string &bytes) {
  begun = !bytes.empty();
  writeFile(file, bytes);
}

std::string GrowingFile::add(const std::string &bytes) {
  pending += bytes;
  int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (begun ? 0 : O_TRUNC), 0666);
  if (opened < 0) return std::strerror(errno);
  bool good = append(opened, pending);
  std::string reason = good ? "" : std::strerror(errno);
  ::close(opened);
  if (!good) return reason;
  pending.clear();
  begun = true;
  return "";
}

} // namespace netc::driver
