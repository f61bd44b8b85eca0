// Numeric arrays for `netc run`: netc/data.h's files with the values as doubles, which hold every type of netc exactly.
#pragma once

#include "compiler/support/functions.h"
#include "netc/data.h"

#include <cstdint>
#include <string>
#include <vector>

namespace netc::driver {

struct Array {
  std::vector<std::int64_t> shape; // empty: one value
  std::vector<double> values;      // row-major
};

/// The same type in a data set.
data::Type dataType(DType);

/// A .npy file, or a .csv file of numbers or, for a bool, conditions: [rows, columns], or [rows] when there is one column.
/// Throws UserError.
Array readArray(const std::string &path, DType);

/// Whether each cell of a text column is "true" or "false", in upper or lower case, or 1 or 0.
bool saysConditions(const data::Array &text);
/// Such a column as booleans. Throws UserError at the first other cell.
data::Array conditionsOf(const data::Array &text);

/// Writes a .npy of the given type. Throws UserError.
void writeArray(const std::string &path, const Array &, DType);

/// "[2, 3]" and "f32[2, 3]"
std::string describe(const std::vector<std::int64_t> &shape);
std::string describe(DType, const std::vector<std::int64_t> &shape);

/// The name, type and shape on one line, then the values, one innermost row a line.
std::string printed(const std::string &name, const Array &, DType);

} // namespace netc::driver
