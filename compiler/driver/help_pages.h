// The table of commands and options for other programs.
#pragma once

#include <string>

namespace netc::driver {

std::string manualPage();     // netc(1), for man
std::string bashCompletion(); // a script that bash sources

} // namespace netc::driver
