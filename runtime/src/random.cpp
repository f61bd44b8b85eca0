#include "exact.h"

#include "netc/random.h"

#include <cmath>

namespace netc {
namespace {

std::uint32_t low(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}
std::uint32_t high(std::uint64_t x) {
  return static_cast<std::uint32_t>(x >> 32);
}

// Both functions use only correctly rounded operations, so their bits do not depend on the C library.

// Natural logarithm of 0 < x <= 1, a multiple of 2^-24: log(m 2^e) = e log 2 + 2 atanh((m-1)/(m+1)).
double naturalLog(double x) {
  constexpr double log2 = 0.693147180559945309417, squareRootOfHalf = 0.70710678118654752440;
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent); // exact
  if (mantissa < squareRootOfHalf) {
    mantissa *= 2;
    --exponent;
  }
  double s = (mantissa - 1) / (mantissa + 1), square = s * s, sum = 0;
  for (int k = 23; k >= 1; k -= 2)
    sum = sum * square + 1.0 / k;
  return exponent * log2 + 2 * s * sum;
}

// cos(2 pi turns) for 0 <= turns < 1, a multiple of 2^-24, so that the reduction to an eighth of a turn is
// exact.
double cosineOfTurns(double turns) {
  constexpr double twoPi = 6.28318530717958647693;
  if (turns > 0.5) turns = 1 - turns;
  bool negative = turns > 0.25;
  if (negative) turns = 0.5 - turns;
  bool useSine = turns > 0.125; // cos(pi/2 - x) = sin(x)
  double x = twoPi * (useSine ? 0.25 - turns : turns), square = x * x, sum = 0;
  for (int k = 18; k >= 0; k -= 2) // Horner's rule on the Taylor series of cos(x) or sin(x)/x
    sum = 1 - sum * square / (useSine ? (k + 2.0) * (k + 3.0) : (k + 1.0) * (k + 2.0));
  double value = useSine ? x * sum : sum;
  return negative ? -value : value;
}

} // namespace

void fillUniform(float *values, std::size_t count, float lower, float upper, std::uint64_t key, std::size_t first) {
  constexpr std::size_t lanes = 32;
  const float width = upper - lower;
  std::uint32_t x[lanes] = {}, y[lanes] = {};
  for (std::size_t i = 0; i < count; i += lanes) {
    threefryLanes(key, first + i, x, y);
    for (std::size_t k = 0; k < lanes && i + k < count; ++k)
      values[i + k] = lower + width * unitReal(x[k]);
  }
}

void fillNormal(float *values, std::size_t count, double mean, double deviation, std::uint64_t key, std::size_t first) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t word = threefry(key, first + i);
    double u = ((low(word) >> 8) + 1) * 0x1p-24, v = (high(word) >> 8) * 0x1p-24;
    values[i] = static_cast<float>(mean + deviation * (std::sqrt(-2 * naturalLog(u)) * cosineOfTurns(v)));
  }
}

void epochOrder(std::uint32_t *order, std::size_t count, std::uint64_t seed, std::uint64_t epoch) {
  std::uint64_t key = threefry(streamKey(seed, "epoch order"), epoch);
  for (std::size_t i = 0; i < count; ++i)
    order[i] = static_cast<std::uint32_t>(i);
  for (std::size_t i = count; i-- > 1;) { // Fisher and Yates, from the last place to the first
    std::size_t j =
        static_cast<std::size_t>(high(threefry(key, i)) * static_cast<std::uint64_t>(i + 1) >> 32);
    std::uint32_t moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
}

} // namespace netc
