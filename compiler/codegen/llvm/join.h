// Object files that were made side by side become one. Private to this folder.
#pragma once

#include <string>
#include <vector>

namespace netc::codegen {

/// One relocatable ELF file with the sections of all, as they are and in order; what a part leaves undefined is found by name in
/// the others. Hidden symbols, by which parts know each other, become local: two models may have the same names of kernels.
/// Requires 64-bit little-endian files of one architecture with fewer than 65280 sections together, as LLVM writes them.
std::string joined(const std::vector<std::string> &objects);

} // namespace netc::codegen
