// Whole files, read and written.
#pragma once

#include "netc/model.h"

#include <cstddef>

namespace netc {

/// The bytes of a regular file, in memory from malloc. Messages begin with the path.
Status readFile(const char *path, unsigned char **bytes, std::size_t *size, char *message);

/// Writes a temporary file beside `path`, syncs it, renames it and syncs the folder: `path` holds either its old
/// or its new content, also after a crash. Symbolic links are followed; what exists and is no regular file is refused.
Status writeFile(const char *path, const void *bytes, std::size_t size, char *message);

} // namespace netc
