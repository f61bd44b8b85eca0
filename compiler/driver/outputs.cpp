#include "compiler/driver/outputs.h"

#include "compiler/support/diagnostics.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <unistd.h>

namespace netc::driver {

namespace fs = std::filesystem;

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

LogFile::~LogFile() {
  if (file) std::fclose(file);
}

void LogFile::fail() const { throw UserError(fmt::format("cannot write '{}': {}", name, std::strerror(errno))); }

void LogFile::open(const std::string &path) {
  name = path;
  file = std::fopen(path.c_str(), "we");
  if (!file) fail();
}

void LogFile::write(const std::string &text) {
  if (std::fputs(text.c_str(), file) < 0 || std::fflush(file) != 0) fail();
}

} // namespace netc::driver
