// Long texts made short for people.
#pragma once

#include <string>

namespace netc::driver {

/// Lines that repeat with other numbers only, as an unrolled loop's do: of each run the first and the last round, and how many
/// there are between them. As far to the left as its first line may stand.
std::string abridged(const std::string &text);

/// What stays the same in texts that differ in names and numbers alone.
std::string form(const std::string &text);

} // namespace netc::driver
