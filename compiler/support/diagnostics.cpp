#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <numeric>
#include <utility>

namespace netc {

std::string Location::str() const {
  return known() ? fmt::format("{}:{}:{}", *file, line, column) : "<unknown>";
}

std::string Location::strInFolder() const {
  return known() ? fmt::format("{}:{}:{}", std::filesystem::path(*file).filename().string(), line, column) : "<unknown>";
}

void internalError(std::string message) { throw InternalError(message); }

std::shared_ptr<const std::string> Diagnostics::addSource(std::string name, std::string text) {
  auto handle = std::make_shared<const std::string>(name);
  sources[std::move(name)] = std::move(text);
  return handle;
}

void Diagnostics::add(Kind kind, const Location &at, std::string message) {
  if (kind == Kind::Error) ++errors; // counted each time: what was reported before is wrong here, too
  for (const Entry &e : list) // one mistake is reported once, however often it is elaborated
    if (e.kind == kind && e.message == message && e.location.line == at.line && e.location.column == at.column)
      return;
  list.push_back({kind, at, std::move(message)});
}

namespace {

/// The bytes of the UTF-8 character at the front of a text that is not empty; 0 when it is none, or a control character.
std::size_t characterLength(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  if (byte(0) < 0x80) return (byte(0) >= 0x20 && byte(0) != 0x7f) || byte(0) == '\t' ? 1 : 0;
  const std::size_t n = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || s.size() < n) return 0;
  if (byte(0) == 0xc2 && byte(1) < 0xa0) return 0; // C1 controls
  for (std::size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  return n;
}

/// The part of a long line around the column.
struct Window {
  std::size_t begin, end;
};
Window windowOf(const std::string &line, std::size_t column) {
  constexpr std::size_t width = 160;
  if (line.size() <= width) return {0, line.size()};
  const std::size_t begin = column < width / 2 ? 0 : std::min(column - width / 2, line.size() - 1);
  return {begin, std::min(begin + width, line.size())};
}

} // namespace

std::string visible(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t n = characterLength(text);
    out += n > 0 ? std::string(text.substr(0, n)) : fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    text.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

std::string visibleLines(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return visible(text);
  return visible(text.substr(0, end)) + "\n" + visibleLines(text.substr(end + 1));
}

/// The source line and a caret under the column; empty when the source is unknown.
static std::string excerpt(const std::string &text, const Location &at) {
  std::size_t begin = 0;
  for (int line = 1; line < at.line && begin != std::string::npos; ++line) {
    begin = text.find('\n', begin);
    if (begin != std::string::npos) ++begin;
  }
  if (begin == std::string::npos || begin > text.size() || at.line < 1) return {};
  std::string line = text.substr(begin, text.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.pop_back();
  const std::size_t column = static_cast<std::size_t>(std::max(at.column, 1)) - 1;
  const Window w = windowOf(line, column);
  const std::string_view shown = std::string_view(line).substr(w.begin, w.end - w.begin);
  std::string caret = w.begin > 0 ? "    " : "";
  for (const char c : visible(shown.substr(0, column - w.begin)))
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) caret += c == '\t' ? '\t' : ' ';
  if (column > line.size()) caret.append(std::min<std::size_t>(column - line.size(), 1), ' ');
  return fmt::format("  {}{}{}\n  {}^\n", w.begin > 0 ? "... " : "", visible(shown), w.end < line.size() ? " ..." : "",
                     caret);
}

std::string Diagnostics::str() const {
  std::string out;
  for (const Entry &e : list) {
    const char *kind = e.kind == Kind::Error ? "error" : e.kind == Kind::Warning ? "warning" : "note";
    out += e.location.known() ? fmt::format("{}: {}: {}\n", visible(e.location.str()), kind, visible(e.message))
                              : fmt::format("{}: {}\n", kind, visible(e.message));
    if (!e.location.known()) continue;
    if (auto source = sources.find(*e.location.file); source != sources.end())
      out += excerpt(source->second, e.location);
  }
  return out;
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn a into b.
static int editDistance(std::string_view a, std::string_view b) {
  std::vector<int> older, old, row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    older = std::exchange(old, row);
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], older[j - 2] + 1);
    }
  }
  return row.back();
}

std::string nearest(std::string_view name, const std::vector<std::string> &candidates) {
  std::string best;
  const int size = static_cast<int>(name.size());
  int bestDistance = std::max(size > 1 ? 1 : 0, size / 3) + 1; // of one letter everything is near
  for (const std::string &c : candidates)
    if (const int d = editDistance(name, c); d < bestDistance) best = c, bestDistance = d;
  return best;
}

std::string didYouMean(std::string_view name, const std::vector<std::string> &candidates) {
  const std::string near = nearest(name, candidates);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

} // namespace netc
