#include "compiler/driver/abridge.h"

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

namespace netc::driver {
namespace {

constexpr std::size_t longestRound = 40, fewestRounds = 4; // lines; rounds that are worth a line of their own

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
bool isWordPart(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; }

/// Numbers, also those in names, become one sign; added ones vanish, as an offset of 0 is not written.
std::string withoutNumbers(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    if (!isDigit(line[i])) {
      out += line[i++];
      continue;
    }
    while (i < line.size() && isDigit(line[i])) ++i;
    for (const std::string_view before : {" + ", " - ", "_"})
      if (out.ends_with(before)) {
        out.erase(out.size() - before.size());
        break;
      }
    if (out.ends_with('[')) out += '#';
  }
  return out;
}

/// How often the round of this length at `begin` is repeated by what follows it.
std::size_t rounds(const std::vector<std::string> &forms, std::size_t begin, std::size_t length) {
  std::size_t end = begin + length;
  while (end < forms.size() && forms[end] == forms[end - length]) ++end;
  return (end - begin) / length;
}

} // namespace

std::string abridged(const std::string &text) {
  std::istringstream in(text);
  std::vector<std::string> lines, forms;
  for (std::string line; std::getline(in, line); lines.push_back(line)) forms.push_back(withoutNumbers(line));
  std::string out;
  const auto copy = [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) out += lines[begin] + '\n';
  };
  for (std::size_t i = 0; i < lines.size();) {
    std::size_t length = 1, most = 1;
    for (std::size_t n = 1; n <= longestRound; ++n)
      if (const std::size_t found = rounds(forms, i, n); found >= fewestRounds && found * n > most * length) length = n, most = found;
    const std::size_t end = i + length * most;
    copy(i, i + length);
    if (most > 1) {
      out += fmt::format("{}... {} times alike ...\n", lines[i].substr(0, lines[i].find_first_not_of(' ')), most - 2);
      copy(end - length, end);
    }
    i = end;
  }
  return out;
}

std::string form(const std::string &text) {
  std::map<std::string, std::size_t, std::less<>> words; // by their first occurrence
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && isWordPart(text[end])) ++end;
    if (end == i) {
      out += text[i++];
      continue;
    }
    const std::string word = text.substr(i, end - i);
    out += isDigit(word[0]) ? "#" : fmt::format("w{}", words.try_emplace(word, words.size()).first->second);
    i = end;
  }
  return out;
}

} // namespace netc::driver
