// Whole text files, read and written; writing never leaves a partial file behind.
#pragma once

#include <string>

namespace netc {

/// The file's bytes. Throws UserError "cannot read 'path': reason".
std::string readFile(const std::string &path);

/// Writes to a temporary name beside `path`, syncs it and renames: also after a crash `path` holds its old or its new
/// content. Symbolic links are followed. Terminals and other character
/// devices, and pipes that somebody reads, are written in place (-o /dev/stdout); other special files are refused. Throws
/// UserError "cannot write 'path': reason" or "'path' is not a regular file".
void writeFile(const std::string &path, const std::string &bytes);

/// The file that `path` leads to: symbolic links at its end are followed, also to a file that is yet to be made. Throws
/// UserError "cannot write ...".
std::string behindLinks(const std::string &path);

} // namespace netc
