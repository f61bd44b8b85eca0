// The table of commands and options for other programs.
#pragma once

#include <string>

namespace netc::driver {

std::string manualPage();     // netc(1), for man
std::string bashCompletion(); // a script that bash sources
std::string zshCompletion();  // one that zsh sources, or finds as _netc in its $fpath

} // namespace netc::driver
