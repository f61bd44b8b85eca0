#include "compiler/driver/abridge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>
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

class Abridger {
public:
  explicit Abridger(const std::string &text) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
    const std::size_t indented = lines.empty() ? 0 : lines[0].find_first_not_of(' ');
    for (std::string &line : lines) {
      line.erase(0, std::min(indented, line.find_first_not_of(' ')));
      forms.push_back(withoutNumbers(line));
    }
  }

  std::string run() {
    abridge(0, lines.size());
    return std::move(out);
  }

private:
  /// Also within the rounds that stay.
  void abridge(std::size_t begin, std::size_t end) {
    while (begin < end) {
      std::size_t length = 1, most = 1;
      for (std::size_t n = 1; n <= longestRound; ++n)
        if (const std::size_t found = rounds(begin, end, n); found >= fewestRounds && found * n > most * length) length = n, most = found;
      if (most == 1) {
        out += lines[begin++] + '\n';
        continue;
      }
      const std::size_t last = begin + length * (most - 1);
      abridge(begin, begin + length);
      out += fmt::format("{}... {} times alike ...\n", lines[begin].substr(0, lines[begin].find_first_not_of(' ')), most - 2);
      abridge(last, last + length);
      begin = last + length;
    }
  }

  /// How often the round of this length at `begin` is repeated by what follows it.
  std::size_t rounds(std::size_t begin, std::size_t end, std::size_t length) const {
    std::size_t at = begin + length;
    while (at < end && forms[at] == forms[at - length]) ++at;
    return (std::min(at, end) - begin) / length;
  }

  std::vector<std::string> lines, forms;
  std::string out;
};

} // namespace

std::string abridged(const std::string &text) { return Abridger(text).run(); }

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
