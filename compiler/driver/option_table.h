// The commands and their options, as one table: parsing, help, the manual page and completion follow it.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace netc::driver {

struct Command {
  std::string_view name, does, help;
};

struct OptionRow {
  std::string_view name;  // as given to Boost: "batch", or ",o"
  std::string_view value; // the value's name in the help; empty: a switch
  std::string_view does;
  unsigned takes;    // the bits of the commands that take it
  bool rare = false; // --help only names it
};

std::span<const Command> commandTable();
std::span<const OptionRow> optionTable();

/// Bit i for the command i of the table; 0: there is none of this name.
unsigned commandBit(std::string_view command);
/// "--batch", "-o"
std::string spelled(const OptionRow &);

} // namespace netc::driver
