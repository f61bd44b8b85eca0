#include "compiler/driver/progress.h"

#include "compiler/driver/messages.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace netc::driver {
namespace {

std::string duration(double seconds) {
  auto s = static_cast<std::int64_t>(std::ceil(seconds));
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60) : fmt::format("{}:{:02}", s / 60, s % 60);
}

std::size_t terminalWidth() {
  winsize size = {};
  constexpr std::size_t usual = 80;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : usual;
}

std::string jsonLine(const EpochReport &r) {
  std::string line = fmt::format("{{\"epoch\": {}, \"loss\": {}", r.epoch + 1, jsonNumber(r.loss));
  for (const Score &s : r.test) line += fmt::format(", \"test_{}\": {}", s.name, jsonNumber(s.value));
  return line + fmt::format(", \"samples_per_second\": {}, \"seconds\": {}}}\n", jsonNumber(r.samplesPerSecond), jsonNumber(r.seconds));
}

} // namespace

Progress::Progress(const Options &o, std::int64_t epochs, std::int64_t samples)
    : live(isatty(STDOUT_FILENO) && !o.quiet && !o.json), quiet(o.quiet), json(o.json), epochs(epochs), samples(samples),
      start(Clock::now()), lastDraw(start) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (std::exchange(drawn, false)) std::fputs("\r\033[K", stdout); // does not throw
  std::fflush(stdout);
}

void Progress::say(const std::string &line) {
  if (quiet || json) return;
  fmt::print("{}\n", visibleLines(line));
  std::fflush(stdout);
}

void Progress::warn(const std::string &line) {
  clear();
  complain(fmt::format("netc: warning: {}\n", line));
}

bool Progress::due() const { return live && Clock::now() - lastDraw >= std::chrono::milliseconds(100); }

void Progress::draw(std::int64_t epoch, std::int64_t samplesDone, double loss, const std::vector<Score> &metrics) {
  lastDraw = Clock::now();
  double seconds = std::chrono::duration<double>(lastDraw - start).count();
  double done = static_cast<double>(epoch * samples + samplesDone - skipped), all = static_cast<double>(epochs * samples - skipped);
  std::string line = fmt::format("epoch {}/{} {:3.0f} %  {:.0f} samples/s  loss {}", epoch + 1, epochs,
                                 100.0 * static_cast<double>(samplesDone) / static_cast<double>(samples), done / seconds, figure(loss));
  for (const Score &s : metrics) line += fmt::format("  {} {}", s.name, figure(s.value));
  line += fmt::format("  {} left", duration(seconds * (all - done) / done));
  fmt::print("\r\033[K{}", line.substr(0, terminalWidth() - 1)); // a second line would stay
  std::fflush(stdout);
  drawn = true;
}

void Progress::epoch(const EpochReport &r) {
  clear();
  if (json) {
    fmt::print("{}", jsonLine(r));
  } else {
    std::string line = fmt::format("epoch {}/{}  loss {}", r.epoch + 1, epochs, figure(r.loss));
    for (const Score &s : r.test) line += fmt::format("  test {} {}", s.name, figure(s.value));
    fmt::print("{}  {:.0f} samples/s  {:.1f} s\n", line, r.samplesPerSecond, r.seconds);
  }
  std::fflush(stdout);
}

} // namespace netc::driver
