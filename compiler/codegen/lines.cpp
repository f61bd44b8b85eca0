#include "compiler/codegen/lines.h"

#include <algorithm>

namespace netc::codegen {

namespace {

constexpr std::size_t lineWidth = 110;

/// Past the last ", " outside string literals at which the first `width` characters can be broken, else the first such place;
/// npos when there is none after `from`.
std::size_t lastBreak(std::string_view line, std::size_t from, std::size_t width) {
  std::size_t found = std::string::npos;
  bool quoted = false;
  for (std::size_t i = 0; i + 1 < line.size() && (i < width || found == std::string::npos); ++i) {
    if (quoted && line[i] == '\\') ++i;
    else if (line[i] == '"') quoted = !quoted;
    else if (!quoted && i >= from && line[i] == ',' && line[i + 1] == ' ') found = i + 2;
  }
  return found;
}

} // namespace

std::string wrapped(std::string_view line, std::size_t hanging) {
  if (hanging == 0) hanging = line.find_first_of("({") + 1;
  std::string lines;
  std::size_t indent = 0; // of what is left of the line
  while (indent + line.size() > lineWidth) {
    const std::size_t rest = lastBreak(line, hanging - indent, lineWidth - std::min(indent, lineWidth));
    if (rest == std::string::npos) break;
    lines.append(indent, ' ').append(line.substr(0, rest - 1)) += '\n';
    line.remove_prefix(rest);
    indent = hanging;
  }
  return lines.append(indent, ' ').append(line);
}

std::string comment(std::string line) {
  for (char &c : line)
    if (static_cast<unsigned char>(c) < 32) c = ' ';
  while (!line.empty() && (line.back() == ' ' || line.back() == '\\')) line.pop_back();
  if (line.empty()) return "//\n";
  line.insert(0, "// ");
  const std::size_t hanging = line.find_first_not_of(' ', 2) + 4;
  std::string lines;
  while (line.size() > lineWidth) {
    const std::size_t space = line.rfind(' ', lineWidth);
    if (space == std::string::npos || space < hanging || line[space - 1] == '\\') break;
    lines += line.substr(0, space) + "\n";
    line = "//" + std::string(hanging - 2, ' ') + line.substr(space + 1);
  }
  return lines + line + "\n";
}

} // namespace netc::codegen
