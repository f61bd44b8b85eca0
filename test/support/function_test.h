// The parts of netc_function_test.
#pragma once

#include "compiler/support/functions.h"

#include <string>

namespace netc::test {

/// Compares the derivative's text with differences of the value, in float64, on random arguments between -6 and 6;
/// returns the number of failures (at most 1) and says where.
int checkDerivative(const FnRow &, int argument);

/// docs/functions.md, made from the table.
std::string functionTable();

} // namespace netc::test
