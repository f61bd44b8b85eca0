#include "compiler/driver/shell_text.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace netc::driver {
namespace {

bool isPlain(const std::string &word) {
  constexpr std::string_view plain = "_-./=:,+@%";
  return !word.empty() && std::all_of(word.begin(), word.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c < 0 || plain.find(c) != std::string_view::npos;
  });
}

std::string quoted(const std::string &word) {
  std::string text = "'";
  for (char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

} // namespace

std::string shellText(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words) {
    if (!text.empty()) text += ' ';
    text += isPlain(word) ? word : quoted(word);
  }
  return text;
}

} // namespace netc::driver
