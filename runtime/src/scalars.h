// Run-time scalars: postfix programs, evaluated in float64 once a call and rounded once.
#pragma once

#include "netc/abi.h"

#include <cstdint>

namespace netc {

struct ScalarInputs {
  double count = 0, step = 0, epoch = 0, steps = 0;
  std::uint64_t seed = 0;
};

/// NaN for a malformed program.
double evaluateScalar(const NetcScalar &, const ScalarInputs &);
/// What kernels see of it: the bits of an int32_t for the word of a key, else the value rounded to float32.
std::uint32_t scalarBits(const NetcScalar &, const ScalarInputs &);

} // namespace netc
