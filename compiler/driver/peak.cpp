#include "compiler/driver/peak.h"

#include <immintrin.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace netc::driver {
namespace {

constexpr int chains = 12; // latency 4, two ports: 8 would do; and they fit in AVX2's 16 registers
constexpr int rounds = 1500;

// The asm keeps the compiler from folding the chains or moving them to memory.
__attribute__((target("avx512f"))) double runAvx512() {
  __m512 acc[chains], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
  for (__m512 &a : acc) a = _mm512_set1_ps(1);
  for (int r = 0; r < rounds; ++r)
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) {
      acc[i] = _mm512_fmadd_ps(acc[i], x, y);
      asm volatile("" : "+v"(acc[i]));
    }
  return 2.0 * 16 * chains * rounds;
}

__attribute__((target("avx2,fma"))) double runAvx2() {
  __m256 acc[chains], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
  for (__m256 &a : acc) a = _mm256_set1_ps(1);
  for (int r = 0; r < rounds; ++r)
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) {
      acc[i] = _mm256_fmadd_ps(acc[i], x, y);
      asm volatile("" : "+x"(acc[i]));
    }
  return 2.0 * 8 * chains * rounds;
}

double oneThread() {
  static const bool avx512 = __builtin_cpu_supports("avx512f");
  auto start = std::chrono::steady_clock::now();
  double flops = 0;
  for (int i = 0; i < 8; ++i) flops += avx512 ? runAvx512() : runAvx2();
  std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
  return flops / time.count();
}

} // namespace

double samplePeak(int threads) {
  if (threads <= 1) return oneThread();
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::atomic<int> ready = 0;
  std::vector<std::thread> pool;
  for (double &rate : rates)
    pool.emplace_back([&] {
      ++ready;
      while (ready < threads) {}
      rate = oneThread();
    });
  for (std::thread &t : pool) t.join();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

} // namespace netc::driver
