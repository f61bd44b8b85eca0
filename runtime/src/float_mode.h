// The floating-point mode that kernels run in.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace netc {

// While it lives, this thread rounds to nearest and takes denormals for zero: they would make a momentum loop many times
// slower, and another rounding mode would change the bits.
class FloatMode {
 public:
#if defined(__SSE2__)
  FloatMode() : saved_(_mm_getcsr()) {
    _mm_setcsr(nearestFlushMasked);
  }
  ~FloatMode() {
    _mm_setcsr(saved_);
  }

 private:
  static constexpr unsigned nearestFlushMasked = 0x9FC0; // exceptions masked, DAZ (bit 6), FTZ (bit 15)
  unsigned saved_;
#elif defined(__aarch64__)
  FloatMode() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" ::"r"(nearestFlushMasked) : "memory");
  }
  ~FloatMode() {
    asm volatile("msr fpcr, %0" ::"r"(saved_) : "memory");
  }

 private:
  static constexpr std::uint64_t nearestFlushMasked = std::uint64_t{1} << 24; // FZ
  std::uint64_t saved_;
#endif
 public:
  FloatMode(const FloatMode &) = delete;
  FloatMode &operator=(const FloatMode &) = delete;
};

} // namespace netc
