// netc fmt: the layout of a .net file, and nothing else.
#pragma once

#include "compiler/support/diagnostics.h"

#include <optional>
#include <string>

namespace netc::dsl {

/// The file as it is usually written. Line breaks and comments stay; indentation, blanks between words and blank
/// lines follow the rules in format.cpp. The words of the result are those of `text`, line by line, and formatting
/// it again changes nothing. Empty, with errors in the diagnostics, if the text does not parse.
std::optional<std::string> format(const std::string &text, const std::string &fileName, Diagnostics &);

} // namespace netc::dsl
