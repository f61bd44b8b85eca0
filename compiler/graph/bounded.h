// A float64 value and how far float32 arithmetic may be from it.
#pragma once

#include "compiler/support/functions.h"

namespace netc::graph {

struct Bounded {
  double value = 0, error = 0; // a boolean's error is 1 when it may be the other one
};

inline constexpr double unitRoundoff = 0x1p-24;
inline constexpr double underflow = 0x1p-125; // denormals are flushed, arguments and results
inline constexpr double slack = 1.01;         // for second-order terms

/// A number of the program, rounded to float32 once.
Bounded roundedInput(double);
Bounded boundedProduct(Bounded, Bounded);
Bounded boundedCall(Fn, const Bounded args[3]);

} // namespace netc::graph
