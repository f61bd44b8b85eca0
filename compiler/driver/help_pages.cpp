#include "compiler/driver/help_pages.h"

#include "compiler/driver/option_table.h"
#include "compiler/support/version.h"

#include <fmt/format.h>

namespace netc::driver {
namespace {

/// Text as troff takes it.
std::string troff(std::string_view text) {
  std::string out;
  bool lineBegins = true;
  for (char c : text) {
    if (lineBegins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else out += c;
    lineBegins = c == '\n';
  }
  return out;
}

std::string optionsOf(const Command &c) {
  std::string words;
  for (const OptionRow &r : optionTable())
    if (r.takes & commandBit(c.name)) words += (words.empty() ? "" : " ") + spelled(r);
  return words;
}

/// Text between single quotes of a shell, for zsh's lists of "word:description".
std::string describedWord(const std::string &word, std::string_view does) {
  std::string out = word + ":";
  for (char c : does) out += c == '\'' ? std::string("'\\''") : c == ':' ? std::string("\\:") : std::string(1, c);
  return "'" + out + "'";
}

} // namespace

std::string manualPage() {
  std::string page = fmt::format(".TH NETC 1 \"\" \"{0}\"\n.SH NAME\nnetc \\- compiles and trains neural networks written as formulas\n"
                                 ".SH SYNOPSIS\n.B netc\n[COMMAND] FILE [options]\n", version());
  for (const Command &c : commandTable()) {
    page += fmt::format(".SH NETC {}\n{}.\n.PP\n.nf\n{}.fi\n", troff(c.name), troff(c.does), troff(c.help));
    for (const OptionRow &r : optionTable())
      if (r.takes & commandBit(c.name)) page += fmt::format(".TP\n.B {} {}\n{}\n", troff(spelled(r)), troff(r.value), troff(r.does));
  }
  return page + ".SH EXIT STATUS\n0: done. 1: a mistake in the input, or a training that did not come to its end. 70: a bug of netc.\n";
}

std::string bashCompletion() {
  std::string names, cases;
  for (const Command &c : commandTable()) {
    names += (names.empty() ? "" : " ") + std::string(c.name);
    cases += fmt::format("    {}) options='{}' ;;\n", c.name, optionsOf(c));
  }
  return fmt::format(R"(_netc() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} options='{}'
  case ${{COMP_WORDS[1]}} in
{}  esac
  COMPREPLY=()
  if [[ $COMP_CWORD == 1 ]]; then COMPREPLY+=($(compgen -W '{}' -- "$current")); fi
  if [[ $current == -* ]]; then COMPREPLY+=($(compgen -W "$options" -- "$current"))
  else COMPREPLY+=($(compgen -f -- "$current")); fi
}}
complete -o filenames -F _netc netc
)",
                     optionsOf(commandTable()[0]), cases, names);
}

std::string zshCompletion() {
  std::string names, cases;
  for (const Command &c : commandTable()) {
    names += "    " + describedWord(std::string(c.name), c.does) + "\n";
    cases += fmt::format("    {}) options=(\n", c.name);
    for (const OptionRow &r : optionTable())
      if (r.takes & commandBit(c.name)) cases += "      " + describedWord(spelled(r), r.does) + "\n";
    cases += "    ) ;;\n";
  }
  return fmt::format(R"(#compdef netc
_netc() {{
  local -a commands options
  local command=$words[2]
  commands=(
{0}  )
  (( ${{commands[(I)$command:*]}} )) || command={1}
  case $command in
{2}  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
    return
  fi
  (( CURRENT == 2 )) && _describe command commands
  _files
}}
if [[ $funcstack[1] == _netc ]]; then _netc "$@"; else compdef _netc netc; fi
)",
                     names, commandTable()[0].name, cases);
}

} // namespace netc::driver
