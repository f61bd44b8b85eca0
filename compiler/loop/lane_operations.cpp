#include "compiler/loop/lane_operations.h"

#include "compiler/support/diagnostics.h"

#include <bit>
#include <cmath>
#include <limits>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace netc::loop {

namespace {

float real(std::uint32_t b) { return std::bit_cast<float>(b); }
std::uint32_t bits(float f) { return std::bit_cast<std::uint32_t>(f); }
std::int32_t integer(std::uint32_t b) { return static_cast<std::int32_t>(b); }

template <class F> void each(LaneValues &out, F f) {
  LaneValues result; // out may be an argument
  for (int l = 0; l < lanes; ++l) result.bits[l] = f(l);
  out = result;
}

#if defined(__x86_64__)
__attribute__((target("fma"), noinline))
#endif
void fuse(const LaneValues &a, const LaneValues &b, const LaneValues &c, LaneValues &out) {
  for (int l = 0; l < lanes; ++l)
    out.bits[l] = std::bit_cast<std::uint32_t>(__builtin_fmaf(
        std::bit_cast<float>(a.bits[l]), std::bit_cast<float>(b.bits[l]), std::bit_cast<float>(c.bits[l])));
}

bool hasFusedMultiplyAdd() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

/// What does not fit, and NaN, gives the smallest integer.
std::uint32_t truncated(float f) {
  constexpr float limit = 0x1p31f;
  const bool fits = f >= -limit && f < limit;
  return static_cast<std::uint32_t>(fits ? static_cast<std::int32_t>(f) : std::numeric_limits<std::int32_t>::min());
}

void applyReal(Fn op, const LaneValues &a, const LaneValues &b, const LaneValues &c, LaneValues &out) {
  switch (op) {
  case Fn::Add: return each(out, [&](int l) { return bits(real(a.bits[l]) + real(b.bits[l])); });
  case Fn::Sub: return each(out, [&](int l) { return bits(real(a.bits[l]) - real(b.bits[l])); });
  case Fn::Mul: return each(out, [&](int l) { return bits(real(a.bits[l]) * real(b.bits[l])); });
  case Fn::Div: return each(out, [&](int l) { return bits(real(a.bits[l]) / real(b.bits[l])); });
  case Fn::Neg: return each(out, [&](int l) { return a.bits[l] ^ 0x80000000u; });
  case Fn::Sqrt: return each(out, [&](int l) { return bits(std::sqrt(real(a.bits[l]))); });
  case Fn::Fma:
    if (hasFusedMultiplyAdd()) return fuse(a, b, c, out);
    return each(out, [&](int l) { return bits(std::fmaf(real(a.bits[l]), real(b.bits[l]), real(c.bits[l]))); });
  default: internalError("the loop interpreter met an operation that is no primitive");
  }
}

template <class T, class Read>
void compare(Fn op, const LaneValues &a, const LaneValues &b, LaneValues &out, Read read) {
  switch (op) {
  case Fn::Lt: return each(out, [&](int l) { return read(a.bits[l]) < read(b.bits[l]) ? 1u : 0u; });
  case Fn::Le: return each(out, [&](int l) { return read(a.bits[l]) <= read(b.bits[l]) ? 1u : 0u; });
  case Fn::Eq: return each(out, [&](int l) { return read(a.bits[l]) == read(b.bits[l]) ? 1u : 0u; });
  default: return each(out, [&](int l) { return read(a.bits[l]) != read(b.bits[l]) ? 1u : 0u; });
  }
}

} // namespace

void apply(Fn op, bool integers, const LaneValues &a, const LaneValues &b, const LaneValues &c, LaneValues &out) {
  switch (op) {
  case Fn::Lt:
  case Fn::Le:
  case Fn::Eq:
  case Fn::Ne: return integers ? compare<std::int32_t>(op, a, b, out, [](std::uint32_t v) { return integer(v); })
                                   : compare<float>(op, a, b, out, [](std::uint32_t v) { return real(v); });
  case Fn::Select: return each(out, [&](int l) { return a.bits[l] ? b.bits[l] : c.bits[l]; });
  case Fn::And:
  case Fn::IAnd: return each(out, [&](int l) { return a.bits[l] & b.bits[l]; });
  case Fn::Or:
  case Fn::IOr: return each(out, [&](int l) { return a.bits[l] | b.bits[l]; });
  case Fn::Not: return each(out, [&](int l) { return a.bits[l] ^ 1u; });
  case Fn::IAdd: return each(out, [&](int l) { return a.bits[l] + b.bits[l]; });
  case Fn::ISub: return each(out, [&](int l) { return a.bits[l] - b.bits[l]; });
  case Fn::IMul: return each(out, [&](int l) { return a.bits[l] * b.bits[l]; });
  case Fn::IXor: return each(out, [&](int l) { return a.bits[l] ^ b.bits[l]; });
  case Fn::Shl: return each(out, [&](int l) { return a.bits[l] << (b.bits[l] & 31); });
  case Fn::Shr:
    return each(out, [&](int l) { return static_cast<std::uint32_t>(integer(a.bits[l]) >> (b.bits[l] & 31)); });
  case Fn::ToReal: return each(out, [&](int l) { return bits(static_cast<float>(integer(a.bits[l]))); });
  case Fn::ToInt: return each(out, [&](int l) { return truncated(real(a.bits[l])); });
  case Fn::BitsToInt:
  case Fn::BitsToReal: out = a; return;
  default: return applyReal(op, a, b, c, out);
  }
}

namespace {

float combine(Reduce::Op op, float a, float b) {
  switch (op) {
  case Reduce::Op::Sum: return a + b;
  case Reduce::Op::Prod: return a * b;
  case Reduce::Op::Max: return a < b || std::isnan(b) ? b : a;
  case Reduce::Op::Min: return b < a || std::isnan(b) ? b : a;
  }
  return a;
}

std::uint32_t combine(Reduce::Op op, std::uint32_t a, std::uint32_t b) {
  switch (op) {
  case Reduce::Op::Sum: return a + b;
  case Reduce::Op::Prod: return a * b;
  case Reduce::Op::Max: return integer(a) < integer(b) ? b : a;
  case Reduce::Op::Min: return integer(b) < integer(a) ? b : a;
  }
  return a;
}

} // namespace

void reduceLanes(Reduce::Op op, bool integers, const LaneValues &v, LaneValues &out) {
  LaneValues current = v;
  for (int distance = lanes / 2; distance > 0; distance /= 2) {
    LaneValues next;
    for (int l = 0; l < lanes; ++l) {
      const std::uint32_t a = current.bits[l & ~distance], b = current.bits[l | distance];
      next.bits[l] = integers ? combine(op, a, b) : bits(combine(op, real(a), real(b)));
    }
    current = next;
  }
  out = current;
}

namespace {

#if defined(__aarch64__)
constexpr std::uint64_t rounding = 3u << 22, flush = 1u << 24; // of FPCR: RMode, FZ
std::uint64_t floatMode() {
  std::uint64_t mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
void setFloatMode(std::uint64_t mode) { asm volatile("msr fpcr, %0" ::"r"(mode)); }
#else
constexpr std::uint64_t rounding = 0x6000, flush = 0x8040; // of MXCSR: RC; FTZ and DAZ
std::uint64_t floatMode() { return _mm_getcsr(); }
void setFloatMode(std::uint64_t mode) { _mm_setcsr(static_cast<unsigned>(mode)); }
#endif

} // namespace

FlushDenormals::FlushDenormals() : before(floatMode()) {
  setFloatMode((before & ~rounding) | flush); // to nearest
  asm volatile("" ::: "memory");
}

FlushDenormals::~FlushDenormals() {
  asm volatile("" ::: "memory");
  setFloatMode(before);
}

} // namespace netc::loop
