// Between doubles, which hold every element type exactly, and the bytes that entry points take and give.
#pragma once

#include "compiler/support/functions.h"

#include <vector>

namespace netc::driver {

/// Reals are rounded, the others truncated.
std::vector<unsigned char> toBytes(const std::vector<double> &values, DType);
std::vector<double> fromBytes(const std::vector<unsigned char> &bytes, DType);

} // namespace netc::driver
