#include "compiler/driver/peak.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace netc::driver {
namespace {

// Twelve chains: a latency of 4 on two ports needs 8, and 12 with x and y fit in AVX2's 16 registers. Named variables
// stay in registers; the empty asm keeps the compiler from folding the chains.
#define NETC_CHAINS(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11)
constexpr int chains = 12, rounds = 1500;

#if defined(__aarch64__)
double runWidest() {
  const float32x4_t x = vdupq_n_f32(0.999f), y = vdupq_n_f32(1e-3f);
#define NETC_DECLARE(i) float32x4_t a##i = vdupq_n_f32(1);
#define NETC_STEP(i) a##i = vfmaq_f32(a##i, x, y);
#define NETC_KEEP(i) asm volatile("" : "+w"(a##i));
  NETC_CHAINS(NETC_DECLARE)
  for (int r = 0; r < rounds; ++r) {
    NETC_CHAINS(NETC_STEP)
    NETC_CHAINS(NETC_KEEP)
  }
#undef NETC_DECLARE
#undef NETC_STEP
#undef NETC_KEEP
  return 2.0 * 4 * chains * rounds;
}
#else
__attribute__((target("avx512f"))) double runAvx512() {
  const __m512 x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
#define NETC_DECLARE(i) __m512 a##i = _mm512_set1_ps(1);
#define NETC_STEP(i) a##i = _mm512_fmadd_ps(a##i, x, y);
#define NETC_KEEP(i) asm volatile("" : "+v"(a##i));
  NETC_CHAINS(NETC_DECLARE)
  for (int r = 0; r < rounds; ++r) {
    NETC_CHAINS(NETC_STEP)
    NETC_CHAINS(NETC_KEEP)
  }
#undef NETC_DECLARE
#undef NETC_STEP
#undef NETC_KEEP
  return 2.0 * 16 * chains * rounds;
}

__attribute__((target("avx2,fma"))) double runAvx2() {
  const __m256 x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
#define NETC_DECLARE(i) __m256 a##i = _mm256_set1_ps(1);
#define NETC_STEP(i) a##i = _mm256_fmadd_ps(a##i, x, y);
#define NETC_KEEP(i) asm volatile("" : "+x"(a##i));
  NETC_CHAINS(NETC_DECLARE)
  for (int r = 0; r < rounds; ++r) {
    NETC_CHAINS(NETC_STEP)
    NETC_CHAINS(NETC_KEEP)
  }
#undef NETC_DECLARE
#undef NETC_STEP
#undef NETC_KEEP
  return 2.0 * 8 * chains * rounds;
}

double runWidest() {
  static const bool avx512 = __builtin_cpu_supports("avx512f");
  return avx512 ? runAvx512() : runAvx2();
}
#endif
#undef NETC_CHAINS

double oneThread() {
  auto start = std::chrono::steady_clock::now();
  double flops = 0;
  for (int i = 0; i < 8; ++i) flops += runWidest();
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
