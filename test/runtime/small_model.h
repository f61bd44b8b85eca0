// A model written by hand as netc would generate it: y = w x + b for 3 features, mean squared loss on a class
// label, momentum. Its kernels are plain C++.
#pragma once

#include "netc/abi.h"

namespace test {

constexpr int maxBatch = 40, features = 3;

/// Slots: x f32[N, 3], label i32[N] class 4. Entries: predict (y), evaluate (loss, metric), trainStep (loss).
extern const NetcModel smallModel;
/// The same without momentum, and under the same names with another shape of b.
extern const NetcModel plainModel, otherModel;

/// Whether all kernels since the last call saw denormals flushed.
bool sawFlushedDenormals();

} // namespace test
