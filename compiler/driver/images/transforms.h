// The steps of a data block, carried out.
#pragma once

#include "compiler/driver/images/resize.h"
#include "compiler/support/transform.h"
#include "netc/random.h"

#include <span>

namespace netc::driver {

/// The random numbers of one sample in one epoch, in the order in which the steps ask for them.
class Draws {
public:
  Draws(std::uint64_t stream, std::uint64_t epoch, std::uint64_t sample) : key(threefry(threefry(stream, epoch), sample)) {}
  double unit() { return unitReal(threefry(key, counter++)); } // in [0, 1)
  double between(double low, double high) { return low + (high - low) * unit(); }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(unit() * static_cast<double>(count)); }

private:
  std::uint64_t key, counter = 0;
};

/// Steps in order. Without draws, for the test part, random crops take the middle, flips and colours do nothing. Throws
/// ImageError if the picture is too small for a crop.
Picture transformed(Picture, std::span<const Transform>, Draws *);

} // namespace netc::driver
