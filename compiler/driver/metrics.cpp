#include "compiler/driver/metrics.h"

#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <unistd.h>

namespace netc::driver {
namespace {

std::string header(const EpochReport &r) {
  std::string line = "epoch,step,loss";
  for (const Score &s : r.test) line += ",test_" + s.name;
  return line + ",lr,samples_per_second,seconds\n";
}

std::string line(const EpochReport &r) {
  std::string text = fmt::format("{},{},{:.9g}", r.epoch + 1, r.step, r.loss);
  for (const Score &s : r.test) text += fmt::format(",{:.9g}", s.value);
  text += r.rate ? fmt::format(",{:.9g}", *r.rate) : ",";
  return text + fmt::format(",{:.0f},{:.3f}\n", r.samplesPerSecond, r.seconds);
}

/// All of it, or nothing: then errno says why.
bool append(int file, const std::string &text) {
  off_t before = ::lseek(file, 0, SEEK_END);
  ssize_t written = ::write(file, text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) return true;
  int reason = written < 0 ? errno : ENOSPC;
  if (::ftruncate(file, before) != 0) return false;
  errno = reason;
  return false;
}

} // namespace

void Metrics::keep(std::uint64_t epochs) {
  if (!std::filesystem::exists(file)) return;
  std::istringstream lines(readFile(file));
  std::string kept, text;
  for (bool first = true; std::getline(lines, text) && !lines.eof(); first = false)
    if (first || std::strtoull(text.c_str(), nullptr, 10) <= epochs) kept += text + "\n";
  begun = !kept.empty();
  writeFile(file, kept);
}

std::string Metrics::add(const EpochReport &r) {
  if (!begun && pending.empty()) pending = header(r);
  pending += line(r);
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
