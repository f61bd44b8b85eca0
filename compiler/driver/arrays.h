// Numeric arrays in files: .npy in and out, .csv in. Values are kept as doubles, which hold every type exactly.
#pragma once

#include "compiler/support/functions.h"

#include <cstdint>
#include <string>
#include <vector>

namespace netc::driver {

struct Array {
  std::vector<std::int64_t> shape; // empty: one value
  std::vector<double> values;      // row-major
};

/// A .npy file (f2 excepted: f4, f8, integers up to 64 bits, bool; C or Fortran order) or a .csv file of numbers (commas,
/// semicolons or blanks; a header line is skipped; a single column gives one dimension). Throws UserError.
Array readArray(const std::string &path);

/// Writes a .npy of the given type. Throws UserError.
void writeNpy(const std::string &path, const Array &, DType);

/// "f32[2, 3]"
std::string describe(DType, const std::vector<std::int64_t> &shape);

/// "[2, 3]"
std::string describe(const std::vector<std::int64_t> &shape);

/// The name and shape on one line, then the values, one innermost row a line.
std::string printed(const std::string &name, const Array &, DType);

} // namespace netc::driver
