// Whole text files, read and written; writing never leaves a partial file behind.
#pragma once

#include <string>

namespace netc {

/// The file's bytes. Throws UserError "cannot read 'path': reason".
std::string readFile(const std::string &path);

/// Writes to a temporary name beside `path` and renames. Throws UserError "cannot write 'path': reason".
void writeFile(const std::string &path, const std::string &bytes);

} // namespace netc
