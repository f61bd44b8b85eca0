// Words as a shell would take them.
#pragma once

#include <string>
#include <vector>

namespace netc::driver {

/// "train 'my model.net' --epochs 3"
std::string shellText(const std::vector<std::string> &words);

} // namespace netc::driver
