#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace netc {

std::string Location::str() const {
  return known() ? fmt::format("{}:{}:{}", *file, line, column) : "<unknown>";
}

void internalError(std::string message) { throw InternalError(message); }

std::shared_ptr<const std::string> Diagnostics::addSource(std::string name, std::string text) {
  auto handle = std::make_shared<const std::string>(name);
  sources[std::move(name)] = std::move(text);
  return handle;
}

void Diagnostics::add(Kind kind, const Location &at, std::string message) {
  for (const Entry &e : list) // one mistake is reported once, however often it is elaborated
    if (e.kind == kind && e.message == message && e.location.line == at.line && e.location.column == at.column)
      return;
  if (kind == Kind::Error) ++errors;
  list.push_back({kind, at, std::move(message)});
}

/// The source line and a caret under the column; empty when the source is unknown.
static std::string excerpt(const std::string &text, const Location &at) {
  std::size_t begin = 0;
  for (int line = 1; line < at.line && begin != std::string::npos; ++line) {
    begin = text.find('\n', begin);
    if (begin != std::string::npos) ++begin;
  }
  if (begin == std::string::npos || begin > text.size() || at.line < 1) return {};
  const std::string line = text.substr(begin, text.find('\n', begin) - begin);
  std::string caret;
  for (int i = 0; i + 1 < at.column; ++i)
    caret += i < static_cast<int>(line.size()) && line[i] == '\t' ? '\t' : ' ';
  return fmt::format("  {}\n  {}^\n", line, caret);
}

std::string Diagnostics::str() const {
  std::string out;
  for (const Entry &e : list) {
    const char *kind = e.kind == Kind::Error ? "error" : e.kind == Kind::Warning ? "warning" : "note";
    out += e.location.known() ? fmt::format("{}: {}: {}\n", e.location.str(), kind, e.message)
                              : fmt::format("{}: {}\n", kind, e.message);
    if (!e.location.known()) continue;
    if (auto source = sources.find(*e.location.file); source != sources.end())
      out += excerpt(source->second, e.location);
  }
  return out;
}

static int editDistance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    int diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const int substitute = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, substitute});
    }
  }
  return row.back();
}

std::string nearest(std::string_view name, const std::vector<std::string> &candidates) {
  std::string best;
  int bestDistance = std::max<int>(1, static_cast<int>(name.size()) / 3) + 1;
  for (const std::string &c : candidates)
    if (const int d = editDistance(name, c); d < bestDistance) best = c, bestDistance = d;
  return best;
}

} // namespace netc
