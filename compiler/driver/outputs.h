// Outputs are checked before hours are spent on their contents.
#pragma once

#include <string>

namespace netc::driver {

/// Throws UserError "cannot write 'path': reason" if no file can be made there. Leaves nothing behind.
void requireWritable(const std::string &path);

/// Makes the folder (and those above it) unless it exists.
void makeFolder(const std::string &path);

} // namespace netc::driver
