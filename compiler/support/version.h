#pragma once

#include <string>

namespace netc {

/// "netc 0.1.0 (1a2b3c4d)": the release, and the commit that was built where the sources are a git checkout. `--version` prints
/// it and every generated file names it.
std::string version();

} // namespace netc
