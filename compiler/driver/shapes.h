// Which array fits which tensor: extents agree up to 1s, and the first extent of a batch tensor is the sample count.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace netc::driver {

/// The number of samples when an array of shape `array` feeds a batch tensor whose one sample has shape `sample`; a single
/// sample may come without its leading extent. Empty: it does not fit.
std::optional<std::int64_t> samplesIn(const std::vector<std::int64_t> &array, const std::vector<std::int64_t> &sample);

/// Equal up to extents of 1.
bool agree(const std::vector<std::int64_t> &a, const std::vector<std::int64_t> &b);

} // namespace netc::driver
