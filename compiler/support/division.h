// Division of integers that rounds down or up, whatever the signs.
#pragma once

#include <cstdint>

namespace netc {

constexpr std::int64_t floorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }
constexpr std::int64_t ceilDivide(std::int64_t a, std::int64_t b) { return -floorDivide(-a, b); }

} // namespace netc
