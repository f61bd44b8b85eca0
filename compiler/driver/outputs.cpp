#include "compiler/driver/outputs.h"

#include "compiler/support/diagnostics.h"
#include "compiler/support/text_file.h"
#include "compiler/support/version.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>

namespace netc::driver {

namespace fs = std::filesystem;

std::string signature(const std::string &format) {
  if (format == "cpp" || format == "llvm") return ""; // in their first lines
  if (format == "dot") return fmt::format("// {}\n", version());
  if (format == "tex") return fmt::format("% {}\n", version());
  const bool markup = format == "svg" || format == "memory" || format == "md" || format == "html";
  return fmt::format(fmt::runtime(markup ? "<!-- {} -->\n" : "# {}\n"), version());
}

void requireWritable(const std::string &path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw UserError(fmt::format("cannot write '{}': it is a folder", path));
  auto status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) throw UserError(fmt::format("'{}' is not a regular file", path));
  std::string probe = fmt::format("{}.{}.tmp", behindLinks(path), getpid());
  std::FILE *file = std::fopen(probe.c_str(), "wb");
  if (!file) throw UserError(fmt::format("cannot write '{}': {}", path, std::strerror(errno)));
  std::fclose(file);
  fs::remove(probe, ignored);
}

NewFolder::NewFolder(const std::string &path) {
  if (path.empty()) return;
  std::error_code error;
  for (fs::path p = path; !p.empty() && !fs::exists(p, error) && p != p.root_path(); p = p.parent_path())
    if (p.has_filename()) made.insert(made.begin(), p.string()); // "runs/" ends in an empty name
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path)) {
    removeEmpty();
    throw UserError(fmt::format("cannot make the folder '{}': {}", path, error ? error.message() : "a file is in its place"));
  }
}

NewFolder::~NewFolder() { removeEmpty(); }

void NewFolder::removeEmpty() {
  std::error_code notEmpty;
  for (auto folder = made.rbegin(); folder != made.rend(); ++folder)
    if (!fs::remove(*folder, notEmpty)) return;
}

FolderLock::FolderLock(const std::string &path) : folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (folder < 0) throw UserError(fmt::format("cannot open the folder '{}': {}", path, std::strerror(errno)));
  if (::flock(folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return; // a file system without locks is no reason to stop
  ::close(folder);
  throw UserError(fmt::format("another netc works in '{}'", path));
}

FolderLock::~FolderLock() { ::close(folder); }

} // namespace netc::driver
