#include "compiler/driver/metrics.h"

#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

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

} // namespace

void Metrics::keep(std::uint64_t epochs) {
  if (!std::filesystem::exists(path())) return;
  std::istringstream lines(readFile(path()));
  std::string kept, text;
  for (bool first = true; std::getline(lines, text) && !lines.eof(); first = false)
    if (first || std::strtoull(text.c_str(), nullptr, 10) <= epochs) kept += text + "\n";
  file.restart(kept);
}

std::string Metrics::add(const EpochReport &r) { return file.add(file.empty() ? header(r) + line(r) : line(r)); }

} // namespace netc::driver
