// Pictures of graphs, drawn by graphviz where it is installed.
#pragma once

#include <string>

namespace netc::driver {

/// What `dot -Tsvg` makes of the text; empty if there is no such program or it fails.
std::string graphviz(const std::string &dotText);

} // namespace netc::driver
