#include "compiler/driver/messages.h"

#include "compiler/support/diagnostics.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <unistd.h>

namespace netc::driver {
namespace {

constexpr std::string_view plain = "\033[0m", caret = "\033[1;32m";

struct Kind {
  std::string_view word, colour;
};
constexpr Kind kinds[] = {{"error:", "\033[1;31m"}, {"warning:", "\033[1;35m"}, {"note:", "\033[1;36m"}};

bool wanted() {
  const char *off = std::getenv("NO_COLOR"), *terminal = std::getenv("TERM");
  return !(off && *off) && terminal && std::string_view(terminal) != "dumb" && isatty(STDERR_FILENO);
}

/// The line with the first word for a kind in its colour; of a source text, which is indented, only a caret.
std::string coloured(std::string line) {
  const auto insert = [&](std::size_t at, std::size_t length, std::string_view colour) {
    line.insert(at + length, plain).insert(at, colour);
  };
  if (line.starts_with(' ')) {
    if (const std::size_t only = line.find_first_not_of(" \t"); only + 1 == line.size() && line[only] == '^') insert(only, 1, caret);
    return line;
  }
  const Kind *first = nullptr;
  std::size_t at = std::string::npos;
  for (const Kind &k : kinds)
    if (const std::size_t found = line.find(k.word); found < at) first = &k, at = found;
  if (first) insert(at, first->word.size(), first->colour);
  return line;
}

} // namespace

void complain(const std::string &text) {
  std::string shown = visibleLines(text);
  if (wanted()) {
    std::istringstream lines(shown);
    shown.clear();
    for (std::string line; std::getline(lines, line);) shown += coloured(line) + '\n';
  }
  std::fputs(shown.c_str(), stderr);
}

} // namespace netc::driver
