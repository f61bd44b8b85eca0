// Long lines of generated C++, broken where a reader would.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace netc::codegen {

/// A line of C++ without an end of line. A long one is broken after commas outside string literals; the rest goes
/// `hanging` spaces in, or below the first bracket when that is 0.
std::string wrapped(std::string_view line, std::size_t hanging = 0);

/// A line of text as a comment at column 0, with its end of line. A long one is broken at spaces, the rest indented
/// under it. Whatever the text holds, the comment ends with its last line.
std::string comment(std::string line);

} // namespace netc::codegen
