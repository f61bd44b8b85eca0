#include "file.h"

#include "failure.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <limits.h>
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

// The file that `path` leads to: symbolic links at its end are followed, so that a link stays a link and the
// file behind it is replaced. `out` holds PATH_MAX bytes.
bool followLinks(const char *path, char *out) {
  constexpr int mostLinks = 40; // as the kernel
  char link[PATH_MAX];
  if (std::snprintf(out, PATH_MAX, "%s", path) >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return false;
  }
  for (int i = 0; i < mostLinks; ++i) {
    ssize_t length = readlink(out, link, sizeof link - 1);
    if (length < 0) return true; // no link, or nothing there yet
    link[length] = 0;
    char *slash = std::strrchr(out, '/');
    std::size_t folder = link[0] == '/' || !slash ? 0 : static_cast<std::size_t>(slash + 1 - out);
    if (folder + static_cast<std::size_t>(length) >= PATH_MAX) {
      errno = ENAMETOOLONG;
      return false;
    }
    std::memcpy(out + folder, link, static_cast<std::size_t>(length) + 1);
  }
  errno = ELOOP;
  return false;
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

// A rename lasts from when its folder is on the disk. `path` is cut to its folder.
void syncFolder(char *path) {
  char *slash = std::strrchr(path, '/');
  if (slash) slash[slash == path] = 0;
  int folder = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return; // one that may not be read; the file itself is synced
  fsync(folder);
  close(folder);
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
  char target[PATH_MAX], name[PATH_MAX + 40];
  struct stat about;
  if (!followLinks(path, target)) return failWithErrno(message, path, "write");
  if (stat(target, &about) == 0 && !S_ISREG(about.st_mode)) // a rename would replace a device or a pipe
    return fail(message, Status::ioError, "%s: not a regular file", path);
  int file = openTemporary(target, name, sizeof name);
  if (file < 0) return failWithErrno(message, path, "write");
  bool written = writeAll(file, bytes, size) && fsync(file) == 0;
  int reason = errno;
  written = close(file) == 0 && written;
  errno = written ? errno : reason;
  if (written && std::rename(name, target) == 0) {
    syncFolder(target);
    return Status::ok;
  }
  failWithErrno(message, path, "write");
  unlink(name);
  return Status::ioError;
}

} // namespace netc
