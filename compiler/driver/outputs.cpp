#include "compiler/driver/outputs.h"

#include "compiler/support/diagnostics.h"

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
  std::string probe = fmt::format("{}.{}.tmp", path, getpid());
  std::FILE *file = std::fopen(probe.c_str(), "wb");
  if (!file) throw UserError(fmt::format("cannot write '{}': {}", path, std::strerror(errno)));
  std::fclose(file);
  fs::remove(probe, ignored);
}

void makeFolder(const std::string &path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path))
    throw UserError(fmt::format("cannot make the folder '{}': {}", path, error ? error.message() : "a file is in its place"));
}

} // namespace netc::driver
