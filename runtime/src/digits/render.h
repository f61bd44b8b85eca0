// Digits as 28x28 grey images, drawn with random transforms and disturbances.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netc::data {

constexpr int digitSize = 28;

/// Draws sample `index` of the set; its label is returned. The same bytes on every machine: only correctly
/// rounded operations on doubles are used, and random numbers that are a function of the index.
int renderDigit(std::uint64_t index, std::uint8_t *pixels);

} // namespace netc::data
