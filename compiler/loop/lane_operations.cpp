#include "compiler/loop/lane_operations.h"

#include "compiler/support/diagnostics.h"

#include <bit>
#include <cmath>
#include <immintrin.h>

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

__attribute__((target("fma"), noinline)) void fuse(const LaneValues &a, const LaneValues &b, const LaneValues &c,
                                                   LaneValues &out) {
  for (int l = 0; l < lanes; ++l)
    out.bits[l] = std::bit_cast<std::uint32_t>(__builtin_fmaf(
        std::bit_cast<float>(a.bits[l]), std::bit_cast<float>(b.bits[l]), std::bit_cast<float>(c.bits[l])));
}

/// Truncates as cvttps does: what does not fit gives the smallest integer.
std::uint32_t truncated(float f) {
  return static_cast<std::uint32_t>(_mm_cvttss_si32(_mm_set_ss(f)));
}

void applyReal(Fn op, const LaneValues &a, const LaneValues &b, const LaneValues &c, LaneValues &out) {
  switch (op) {
  case Fn::Add: return each(out, [&](int l) { return bits(real(a.bits[l]) + real(b.bits[l])); });
  case Fn::Sub: return each(out, [&](int l) { return bits(real(a.bits[l]) - real(b.bits[l])); });
  case Fn::Mul: return each(out, [&](int l) { return bits(real(a.bits[l]) * real(b.bits[l])); });
  case Fn::Div: return each(out, [&](int l) { return bits(real(a.bits[l]) / real(b.bits[l])); });
  case Fn::Neg: return each(out, [&](int l) { return a.bits[l] ^ 0x80000000u; });
  case Fn::Sqrt:
    return each(out, [&](int l) { return bits(_mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(real(a.bits[l]))))); });
  case Fn::Fma:
    if (__builtin_cpu_supports("fma")) return fuse(a, b, c, out);
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

FlushDenormals::FlushDenormals() : before(_mm_getcsr()) {
  _mm_setcsr((before & ~0x603fu) | 0x8040u); // round to nearest; FTZ and DAZ
  asm volatile("" ::: "memory");
}

FlushDenormals::~FlushDenormals() {
  asm volatile("" ::: "memory");
  _mm_setcsr(before);
}

} // namespace netc::loop
