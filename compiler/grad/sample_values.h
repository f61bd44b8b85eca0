// Random values for the tensors that a caller would give: reproducible from a seed and the tensor's name.
#pragma once

#include "compiler/graph/graph.h"

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace netc::grad {

/// SplitMix64 (Steele, Lea, Flood 2014), started from the seed and a name.
class Randomness {
 public:
  Randomness(std::uint64_t seed, std::string_view name);
  std::uint64_t next();
  /// As it will be after some numbers more.
  Randomness after(std::uint64_t numbers) const;
  double uniform(); // [0, 1)
  double normal();  // Box-Muller
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(bound));
  }

 private:
  std::uint64_t state;
};

/// The numbers below `count` in random order, each once; only those that were drawn take memory.
class RandomOrder {
 public:
  RandomOrder(std::int64_t count, std::uint64_t seed, std::string_view name) : count(count), random(seed, name) {}
  bool empty() const { return drawn == count; }
  std::int64_t next();

 private:
  std::int64_t count, drawn = 0;
  Randomness random;
  std::map<std::int64_t, std::int64_t> moved; // what stands in a place, where that is not its own number
};

std::int64_t elementCount(const graph::Tensor &);

/// Values for an input, target, parameter or state, as check.h describes.
std::vector<double> sampleValues(const graph::Tensor &, std::uint64_t seed);

} // namespace netc::grad
