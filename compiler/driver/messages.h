// Messages of netc on standard error.
#pragma once

#include <string>

namespace netc::driver {

/// Prints whole lines; on a terminal with the kind of each message and the carets in colour, unless NO_COLOR is set
/// (https://no-color.org) or the terminal is a dumb one.
void complain(const std::string &text);

} // namespace netc::driver
