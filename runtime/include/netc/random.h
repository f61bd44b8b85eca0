// Counter-based random numbers: Threefry2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy
// as 1, 2, 3", 2011). A value is a function of its key and counter alone, whatever the order, thread or
// machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netc {

/// The two output words for a key and a counter; each is key word 0 or counter word 0 in its low half.
std::uint64_t threefry(std::uint64_t key, std::uint64_t counter);

/// FNV-1a, 64 bits: turns names into key words.
std::uint64_t hashName(const char *name);

/// The key of the stream `name` under `seed`: threefry(seed, hashName(name)).
std::uint64_t streamKey(std::uint64_t seed, const char *name);

/// values[i] = low + (high - low) * u, u = (low word of threefry(key, i) >> 8) * 2^-24, each operation in
/// float32.
void fillUniform(float *values, std::size_t count, float low, float high, std::uint64_t key);

/// values[i] = mean + deviation * sqrt(-2 log(u)) * cos(2 pi v), in double, rounded once; u = ((low word >>
/// 8) + 1) * 2^-24, v = (high word >> 8) * 2^-24 of threefry(key, i). log and cos are the runtime's own, the
/// same bits on every machine.
void fillNormal(float *values, std::size_t count, double mean, double deviation, std::uint64_t key);

/// The order in which an epoch visits `count` samples: a permutation of 0..count-1, a function of (seed,
/// epoch, count). Sample batches are consecutive runs of it. netc train uses it, so a program that does too
/// gets the same weights.
void epochOrder(std::uint32_t *order, std::size_t count, std::uint64_t seed, std::uint64_t epoch);

} // namespace netc
