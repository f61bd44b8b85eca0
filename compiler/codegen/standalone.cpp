#include "compiler/codegen/standalone.h"

#include "compiler/support/embedded_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace netc {

std::span<const EmbeddedFile> runtimeHeaders(); // "netc/model.h", ...
std::span<const EmbeddedFile> runtimeSources(); // "thread_pool.h", "thread_pool.cpp", ...
std::span<const EmbeddedFile> selfTestSources(); // "reference.h", ...

namespace codegen {
namespace {

constexpr std::string_view repeated = "netc/simd.h"; // is included once for each instruction set

const EmbeddedFile *find(std::span<const EmbeddedFile> files, std::string_view name) {
  for (const EmbeddedFile &f : files)
    if (f.name == name) return &f;
  return nullptr;
}

const EmbeddedFile *findRuntime(std::string_view name) {
  for (const auto files : {runtimeHeaders(), runtimeSources(), selfTestSources()})
    if (const EmbeddedFile *f = find(files, name)) return f;
  return nullptr;
}

/// What a line includes: "netc/abi.h", and "failure.h" for "../failure.h"; empty: the line does something else.
std::string_view included(std::string_view line) {
  constexpr std::string_view directive = "#include ";
  if (!line.starts_with(directive)) return {};
  line.remove_prefix(directive.size() + 1);
  if (line.starts_with("../")) line.remove_prefix(3);
  return line.substr(0, line.find_first_of("\">"));
}

/// The macro that guards a header which several generated headers may hold.
std::string guard(std::string_view name) {
  std::string macro = "NETC_INSIDE_";
  for (const char c : name) macro += std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::toupper(c)) : '_';
  return macro;
}

class Expander {
public:
  /// The text with the runtime's files in the place of the lines that include them.
  std::string expand(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end);
      if (line.starts_with("#pragma once")) continue;
      const EmbeddedFile *file = findRuntime(included(line));
      if (!file) out += line;
      else if (file->name == repeated) out += expand(file->text);
      else if (done.insert(file->name).second) out += guarded(*file);
    }
    return out;
  }

private:
  std::string guarded(const EmbeddedFile &file) {
    const std::string macro = guard(file.name);
    return fmt::format("#ifndef {}\n#define {}\n// {} of netc's runtime\n{}#endif // {}\n", macro, macro, file.name, expand(file.text),
                       macro);
  }

  std::set<std::string_view> done;
};

} // namespace

void makeStandalone(std::string &source, std::string &header, bool selfTest) {
  Expander expander;
  header = expander.expand(header);
  source = expander.expand(source);
  source += "\n// ----------------------------------------------------------------------------------------------------------\n"
            "// The runtime. A program with several files like this one compiles it once: define NETC_RUNTIME_ELSEWHERE for\n"
            "// all others.\n\n#ifndef NETC_RUNTIME_ELSEWHERE\n";
  for (const auto files : {runtimeSources(), selfTest ? selfTestSources() : std::span<const EmbeddedFile>()})
    for (const EmbeddedFile &f : files)
      if (f.name.ends_with(".cpp")) source += fmt::format("\n// {}\n{}", f.name, expander.expand(f.text));
  source += "\n#endif // NETC_RUNTIME_ELSEWHERE\n";
}

} // namespace codegen
} // namespace netc
