// Counter-based random numbers: Threefry2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy
// as 1, 2, 3", 2011). A value is a function of its key and counter alone, whatever the order, thread or
// machine. The compiler includes this header, too: `uniform()` of a model is threefry of its call's key.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netc {

/// The two output words for a key and the counters from one on, a pair a lane: several at a time, because each is one long
/// chain of operations.
template <std::size_t lanes>
constexpr void threefryLanes(std::uint64_t key, std::uint64_t counter, std::uint32_t (&x)[lanes], std::uint32_t (&y)[lanes]) {
  constexpr int rotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const std::uint32_t low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
  const std::uint32_t keys[3] = {low, high, 0x1BD11BDAu ^ low ^ high};
  for (std::size_t i = 0; i < lanes; ++i) {
    x[i] = static_cast<std::uint32_t>(counter + i) + low;
    y[i] = static_cast<std::uint32_t>((counter + i) >> 32) + high;
  }
  for (std::uint32_t round = 0; round < 20; ++round) {
    const int by = rotations[round % 8];
    for (std::size_t i = 0; i < lanes; ++i) {
      x[i] += y[i];
      y[i] = (y[i] << by | y[i] >> (32 - by)) ^ x[i];
    }
    if (round % 4 == 3) {
      const std::uint32_t injection = round / 4 + 1;
      for (std::size_t i = 0; i < lanes; ++i) {
        x[i] += keys[injection % 3];
        y[i] += keys[(injection + 1) % 3] + injection;
      }
    }
  }
}

/// Both words for a key and a counter; each is key word 0 or counter word 0 in its low half.
constexpr std::uint64_t threefry(std::uint64_t key, std::uint64_t counter) {
  std::uint32_t x[1] = {}, y[1] = {};
  threefryLanes(key, counter, x, y);
  return static_cast<std::uint64_t>(y[0]) << 32 | x[0];
}

/// u in [0, 1): the upper 24 bits of the low word, exact in float32.
constexpr float unitReal(std::uint64_t word) {
  return static_cast<float>(static_cast<std::uint32_t>(word) >> 8) * 0x1p-24f;
}

/// FNV-1a, 64 bits: turns names into key words.
constexpr std::uint64_t hashName(const char *name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (; *name; ++name)
    hash = (hash ^ static_cast<unsigned char>(*name)) * 0x100000001b3u;
  return hash;
}

/// The key of the stream `name` under `seed`: threefry(seed, hashName(name)).
constexpr std::uint64_t streamKey(std::uint64_t seed, const char *name) {
  return threefry(seed, hashName(name));
}

/// The key of what a call of uniform() draws in one step. `path` is the hash of the call's name in its model.
constexpr std::uint64_t drawKey(std::uint64_t seed, std::uint64_t path, std::uint64_t step) {
  return threefry(threefry(seed, path), step);
}

/// values[i - first] = low + (high - low) * unitReal(threefry(key, i)), each operation in float32.
void fillUniform(float *values, std::size_t count, float low, float high, std::uint64_t key, std::size_t first = 0);

/// values[i - first] = mean + deviation * sqrt(-2 log(u)) * cos(2 pi v), in double, rounded once; u = ((low word >>
/// 8) + 1) * 2^-24, v = (high word >> 8) * 2^-24 of threefry(key, i). log and cos are the runtime's own, the
/// same bits on every machine.
void fillNormal(float *values, std::size_t count, double mean, double deviation, std::uint64_t key, std::size_t first = 0);

/// The order in which an epoch visits `count` samples: a permutation of 0..count-1, a function of (seed,
/// epoch, count). Sample batches are consecutive runs of it. netc train uses it, so a program that does too
/// gets the same weights.
void epochOrder(std::uint32_t *order, std::size_t count, std::uint64_t seed, std::uint64_t epoch);

} // namespace netc
