#include "src/file.h"

#include "src/failure.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace netc {
namespace {

Status failWithErrno(char *message, const char *path, const char *action) {
  return fail(message, Status::ioError, "%s: cannot %s: %s", path, action, std::strerror(errno));
}

bool readAll(int file, unsigned char *bytes, std::size_t size) {
  while (size > 0) {
    ssize_t got = read(file, bytes, size);
    if (got == 0) errno = EIO; // shorter than it said
    if (got == 0 || (got < 0 && errno != EINTR)) return false;
    if (got > 0) {
      bytes += got;
      size -= static_cast<std::size_t>(got);
    }
  }
  return true;
}

bool writeAll(int file, const void *data, std::size_t size) {
  const unsigned char *bytes = static_cast<const unsigned char *>(data);
  while (size > 0) {
    ssize_t put = write(file, bytes, size);
    if (put < 0 && errno != EINTR) return false;
    if (put > 0) {
      bytes += put;
      size -= static_cast<std::size_t>(put);
    }
  }
  return true;
}

// Opens a new file "PATH.tmp-PID-N"; its name goes to `name`.
int openTemporary(const char *path, char *name, std::size_t size) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::snprintf(name, size, "%s.tmp-%ld-%d", path, static_cast<long>(getpid()), attempt);
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST) return file;
  }
  return -1;
}

} // namespace

Status readFile(const char *path, unsigned char **bytes, std::size_t *size, char *message) {
  *bytes = nullptr;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return failWithErrno(message, path, "open");
  struct stat about;
  Status status = Status::ok;
  if (fstat(file, &about) != 0)
    status = failWithErrno(message, path, "read");
  else if (!S_ISREG(about.st_mode))
    status = fail(message, Status::ioError, "%s: not a regular file", path);
  else {
    *size = static_cast<std::size_t>(about.st_size);
    *bytes = static_cast<unsigned char *>(std::malloc(*size ? *size : 1));
    if (!*bytes)
      status = fail(message, Status::outOfMemory, "%s: no memory for %zu bytes", path, *size);
    else if (!readAll(file, *bytes, *size))
      status = failWithErrno(message, path, "read");
  }
  close(file);
  if (status != Status::ok) {
    std::free(*bytes);
    *bytes = nullptr;
  }
  return status;
}

Status writeFile(const char *path, const void *bytes, std::size_t size, char *message) {
  std::size_t length = std::strlen(path) + 40;
  char *name = static_cast<char *>(std::malloc(length));
  if (!name) return fail(message, Status::outOfMemory, "%s: no memory", path);
  int file = openTemporary(path, name, length);
  Status status = Status::ok;
  if (file < 0)
    status = failWithErrno(message, path, "write");
  else {
    bool written = writeAll(file, bytes, size) && fsync(file) == 0;
    int reason = errno;
    written = close(file) == 0 && written;
    errno = written ? errno : reason;
    if (!written || std::rename(name, path) != 0) {
      status = failWithErrno(message, path, "write");
      unlink(name);
    }
  }
  std::free(name);
  return status;
}

} // namespace netc
