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

/// The operations of the loop: `lanes` a register, STEP(i) is a##i = a##i * x + y, KEEP(i) the asm.
#define NETC_LOOP(vector, lanes, set, STEP, KEEP)                                                                              \
  const vector x = set(0.999f), y = set(1e-3f);                                                                                \
  vector a0 = set(1), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0;     \
  for (int r = 0; r < rounds; ++r) {                                                                                           \
    NETC_CHAINS(STEP)                                                                                                          \
    NETC_CHAINS(KEEP)                                                                                                          \
  }                                                                                                                            \
  return 2.0 * (lanes) * chains * rounds

#if defined(__aarch64__)
#define NETC_STEP(i) a##i = vfmaq_f32(y, a##i, x);
#define NETC_KEEP(i) asm volatile("" : "+w"(a##i));
double runWidest() { NETC_LOOP(float32x4_t, 4, vdupq_n_f32, NETC_STEP, NETC_KEEP); }
#undef NETC_STEP
#else
#define NETC_KEEP(i) asm volatile("" : "+v"(a##i));
#define NETC_STEP_512(i) a##i = _mm512_fmadd_ps(a##i, x, y);
#define NETC_STEP_256(i) a##i = _mm256_fmadd_ps(a##i, x, y);
__attribute__((target("avx512f"))) double runAvx512() { NETC_LOOP(__m512, 16, _mm512_set1_ps, NETC_STEP_512, NETC_KEEP); }
__attribute__((target("avx2,fma"))) double runAvx2() { NETC_LOOP(__m256, 8, _mm256_set1_ps, NETC_STEP_256, NETC_KEEP); }
#undef NETC_STEP_512
#undef NETC_STEP_256

double runWidest() {
  static const bool avx512 = __builtin_cpu_supports("avx512f");
  return avx512 ? runAvx512() : runAvx2();
}
#endif
#undef NETC_KEEP
#undef NETC_LOOP
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
