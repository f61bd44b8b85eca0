#include "compiler/support/text_file.h"

#include "compiler/support/diagnostics.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
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

void writeFile(const std::string &path, const std::string &bytes) {
  // A device or pipe is written in place: there is nothing to keep whole, and renaming would replace it.
  std::error_code ec;
  const auto status = std::filesystem::status(path, ec);
  const bool special = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  const std::string target = special ? path : fmt::format("{}.tmp{}", path, ::getpid());
  const auto fail = [&](int error) {
    if (!special) std::remove(target.c_str());
    throw UserError(fmt::format("cannot write '{}': {}", path, std::strerror(error)));
  };
  std::FILE *f = std::fopen(target.c_str(), "wb");
  if (!f) fail(errno);
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), f) == bytes.size() && std::fflush(f) == 0;
  const int error = errno;
  if (std::fclose(f) != 0 || !written) fail(written ? errno : error);
  if (!special && std::rename(target.c_str(), path.c_str()) != 0) fail(errno);
}

} // namespace netc
