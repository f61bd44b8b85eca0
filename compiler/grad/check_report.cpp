#include "compiler/grad/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace netc::grad {

bool CheckReport::passed() const {
  return std::all_of(samples.begin(), samples.end(),
                     [](const SampleReport &s) { return s.failures.empty(); });
}

int CheckReport::compared() const {
  int total = 0;
  for (const SampleReport &s : samples)
    total += s.compared;
  return total;
}

std::string CheckReport::str() const {
  std::size_t width = 0;
  for (const SampleReport &s : samples)
    width = std::max(width, s.name.size());
  std::string text;
  for (const SampleReport &s : samples) {
    text += fmt::format("{:<{}}  ", s.name, width);
    text += s.without > 0 ? fmt::format("no influence, so zero is right: the loss is the same at {} random values", s.without)
            : fmt::format("compared {:3}{}, worst error {:.2e}", s.compared,
                          s.directions > 0 ? fmt::format(" ({} entries, {} directions)", s.entries, s.directions) : "", s.worst);
    if (s.redrawn) text += fmt::format(", {} drawn again", s.redrawn);
    text += "\n";
  }
  for (const SampleReport &s : samples)
    if (!s.note.empty()) text += "note: " + s.note + "\n";
  for (const SampleReport &s : samples)
    for (const std::string &failure : s.failures)
      text += "error: " + failure + "\n";
  return text;
}

} // namespace netc::grad
