// What generated C++ computes with: registers of 16 lanes on any instruction set, over Google Highway. F holds f32,
// I holds i32, B holds bool. Each operation gives the bits that compiler/loop/loop.h defines: correctly rounded, never
// contracted or approximated; hence no hn::Min, hn::Max, hn::Ne (false on NaN) or hn::SumOfLanes on floats here.
//
// Included once for each instruction set, so there is no include guard: define NETC_SIMD_TARGET first, then use
// namespace netc::simd::HWY_NAMESPACE between HWY_BEFORE_NAMESPACE() and HWY_AFTER_NAMESPACE().

#ifndef NETC_SIMD_TARGETS
#define NETC_SIMD_TARGETS
#define NETC_SIMD_NATIVE 0 // whatever the compiler's flags allow
#define NETC_SIMD_X86_64_V3 3
#define NETC_SIMD_X86_64_V4 4
#define NETC_SIMD_AARCH64 64
#ifndef HWY_WANT_AVX3_DL
#define HWY_WANT_AVX3_DL 1 // may be the baseline of -march=native, and Highway wants that among its targets
#endif
#include <hwy/detect_targets.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#endif

#undef HWY_TARGET
#if NETC_SIMD_TARGET == NETC_SIMD_X86_64_V4
#define HWY_TARGET HWY_AVX3
#elif NETC_SIMD_TARGET == NETC_SIMD_X86_64_V3
#define HWY_TARGET HWY_AVX2
#elif defined(__aarch64__) // also where the compiler's flags allow scalable vectors
#ifdef HWY_NEON_WITHOUT_AES
#define HWY_TARGET HWY_NEON_WITHOUT_AES
#else
#define HWY_TARGET HWY_NEON
#endif
#else
#define HWY_TARGET HWY_STATIC_TARGET
#endif
#undef NETC_SIMD_TARGET
#include <hwy/highway.h>

#if !HWY_NATIVE_FMA
#error "netc needs hardware fused multiply-add; for a file made with --target=native, compile with -march=native"
#elif HWY_HAVE_SCALABLE
#error "netc does not support scalable vectors yet"
#endif

// A register is one, two or four vectors. NETC_MAPn applies a function to each; NETC_PARTS calls f(part number, ...).
#if HWY_MAX_BYTES == 64
#define NETC_MEMBERS(V) V a
#define NETC_MAP1(f, x) {f(x.a)}
#define NETC_MAP2(f, x, y) {f(x.a, y.a)}
#define NETC_MAP3(f, x, y, z) {f(x.a, y.a, z.a)}
#define NETC_PARTS(f, ...) {f(0, __VA_ARGS__)}
#define NETC_EACH(f, x, ...) f(x.a, 0, __VA_ARGS__)
#elif HWY_MAX_BYTES == 32
#define NETC_MEMBERS(V) V a, b
#define NETC_MAP1(f, x) {f(x.a), f(x.b)}
#define NETC_MAP2(f, x, y) {f(x.a, y.a), f(x.b, y.b)}
#define NETC_MAP3(f, x, y, z) {f(x.a, y.a, z.a), f(x.b, y.b, z.b)}
#define NETC_PARTS(f, ...) {f(0, __VA_ARGS__), f(1, __VA_ARGS__)}
#define NETC_EACH(f, x, ...) f(x.a, 0, __VA_ARGS__), f(x.b, 1, __VA_ARGS__)
#else
#define NETC_MEMBERS(V) V a, b, c, d
#define NETC_MAP1(f, x) {f(x.a), f(x.b), f(x.c), f(x.d)}
#define NETC_MAP2(f, x, y) {f(x.a, y.a), f(x.b, y.b), f(x.c, y.c), f(x.d, y.d)}
#define NETC_MAP3(f, x, y, z) {f(x.a, y.a, z.a), f(x.b, y.b, z.b), f(x.c, y.c, z.c), f(x.d, y.d, z.d)}
#define NETC_PARTS(f, ...) {f(0, __VA_ARGS__), f(1, __VA_ARGS__), f(2, __VA_ARGS__), f(3, __VA_ARGS__)}
#define NETC_EACH(f, x, ...)                                                                                          \
  f(x.a, 0, __VA_ARGS__), f(x.b, 1, __VA_ARGS__), f(x.c, 2, __VA_ARGS__), f(x.d, 3, __VA_ARGS__)
#endif

HWY_BEFORE_NAMESPACE();
namespace netc {
namespace simd {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using std::int32_t;
using std::int64_t;
using std::uint8_t;

// --- One vector of a register -----------------------------------------------------------------------------------

namespace part {

using DF = hn::ScalableTag<float>;
using DI = hn::ScalableTag<int32_t>;
using DB = hn::Rebind<uint8_t, DI>; // as many bytes as a vector has lanes
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;
using VB = hn::Mask<DF>;
constexpr int size = HWY_MAX_BYTES / 4;

HWY_INLINE VF set(int, float x) { return hn::Set(DF(), x); }
HWY_INLINE VI setInt(int, int32_t x) { return hn::Set(DI(), x); }
HWY_INLINE VI lanes(int i, int32_t base, int32_t step) {
  const DI d;
  if (step == 1) return hn::Add(hn::Iota(d, i * size), hn::Set(d, base));
  return hn::Add(hn::Mul(hn::Iota(d, i * size), hn::Set(d, step)), hn::Set(d, base));
}
HWY_INLINE VB below(int i, int32_t active) {
  return hn::RebindMask(DF(), hn::Lt(hn::Iota(DI(), i * size), hn::Set(DI(), active)));
}
HWY_INLINE hn::Mask<DI> forInt(VB m) { return hn::RebindMask(DI(), m); }
HWY_INLINE VB forReal(hn::Mask<DI> m) { return hn::RebindMask(DF(), m); }

HWY_INLINE VF load(int i, const float *p) { return hn::LoadU(DF(), p + i * size); }
HWY_INLINE VI loadInt(int i, const int32_t *p) { return hn::LoadU(DI(), p + i * size); }
HWY_INLINE VI loadBytes(int i, const uint8_t *p) { return hn::PromoteTo(DI(), hn::LoadU(DB(), p + i * size)); }
HWY_INLINE VF gather(int i, const float *p, int64_t stride) {
  return hn::GatherIndex(DF(), p + i * size * stride, lanes(0, 0, static_cast<int32_t>(stride)));
}
HWY_INLINE VI gatherInt(int i, const int32_t *p, int64_t stride) {
  return hn::GatherIndex(DI(), p + i * size * stride, lanes(0, 0, static_cast<int32_t>(stride)));
}

HWY_INLINE void store(VF x, int i, float *p) { hn::StoreU(x, DF(), p + i * size); }
HWY_INLINE void storeInt(VI x, int i, int32_t *p) { hn::StoreU(x, DI(), p + i * size); }
HWY_INLINE void storeBytes(VI x, int i, uint8_t *p) { // the low byte of each lane
  hn::StoreU(hn::DemoteTo(DB(), hn::And(x, hn::Set(DI(), 255))), DB(), p + i * size);
}

HWY_INLINE VI selectInt(VB m, VI x, VI y) { return hn::IfThenElse(forInt(m), x, y); }
HWY_INLINE VB selectMask(VB m, VB x, VB y) { return hn::Or(hn::And(m, x), hn::AndNot(m, y)); }
HWY_INLINE VF opaque(VF x) {
#if HWY_ARCH_X86
  __asm__("" : "+x"(x.raw));
#elif defined(__aarch64__)
  __asm__("" : "+w"(x.raw));
#endif
  return x;
}
// Clang would make `x < y ? x : y` a minimum instruction, which flushes denormals where a selection keeps them.
HWY_INLINE VF compared(VF x) {
#if HWY_COMPILER_CLANG
  return opaque(x);
#else
  return x;
#endif
}
HWY_INLINE VB lt(VF x, VF y) { return hn::Lt(compared(x), y); }
HWY_INLINE VB le(VF x, VF y) { return hn::Le(compared(x), y); }
HWY_INLINE VB eq(VF x, VF y) { return hn::Eq(compared(x), y); }
HWY_INLINE VB ne(VF x, VF y) { return hn::Not(hn::Eq(compared(x), y)); }
HWY_INLINE VB ltInt(VI x, VI y) { return forReal(hn::Lt(x, y)); }
HWY_INLINE VB leInt(VI x, VI y) { return forReal(hn::Not(hn::Lt(y, x))); }
HWY_INLINE VB eqInt(VI x, VI y) { return forReal(hn::Eq(x, y)); }
HWY_INLINE VB neInt(VI x, VI y) { return forReal(hn::Not(hn::Eq(x, y))); }
HWY_INLINE VF toReal(VI x) { return hn::ConvertTo(DF(), x); }
HWY_INLINE VI toInt(VF x) { // INT_MIN when out of range, where hn::ConvertTo saturates
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return VI{_mm512_cvttps_epi32(x.raw)};
#elif HWY_TARGET == HWY_AVX2
  return VI{_mm256_cvttps_epi32(x.raw)};
#else
  const VF limit = hn::Set(DF(), 2147483648.0f);
  return hn::IfThenElse(forInt(hn::Lt(x, limit)), hn::ConvertTo(DI(), x), hn::Set(DI(), INT32_MIN));
#endif
}
HWY_INLINE VI bitsToInt(VF x) { return hn::BitCast(DI(), x); }
HWY_INLINE VF bitsToReal(VI x) { return hn::BitCast(DF(), x); }

struct SumOp {
  template <class V> static HWY_INLINE V of(V a, V b) { return hn::Add(a, b); }
};
struct ProdOp {
  template <class V> static HWY_INLINE V of(V a, V b) { return hn::Mul(a, b); }
};
struct MaxOp { // b where it is larger or NaN; a has the smaller lane number
  template <class V> static HWY_INLINE V of(V a, V b) {
    return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::Not(hn::Eq(b, b))), b, a);
  }
};
struct MinOp {
  template <class V> static HWY_INLINE V of(V a, V b) {
    return hn::IfThenElse(hn::Or(hn::Lt(b, a), hn::Not(hn::Eq(b, b))), b, a);
  }
};

/// The lanes of one vector combined by halves. Lane 0 of each step is that of the butterfly; the others do not matter.
template <class Op, class D> HWY_INLINE hn::TFromD<D> fold(D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) > 4) {
    const hn::Half<D> half;
    return fold<Op>(half, Op::of(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    (void)d;
    v = Op::of(v, hn::Shuffle1032(v));
    v = Op::of(v, hn::Shuffle2301(v));
    return hn::GetLane(v);
  }
}
/// The lanes of a register combined; vectors first, as lane ^ 8 (and ^ 4) is in another vector.
template <class Op, class D, class R> HWY_INLINE hn::TFromD<D> foldRegister(D d, R x) {
#if HWY_MAX_BYTES == 64
  return fold<Op>(d, x.a);
#elif HWY_MAX_BYTES == 32
  return fold<Op>(d, Op::of(x.a, x.b));
#else
  return fold<Op>(d, Op::of(Op::of(x.a, x.c), Op::of(x.b, x.d)));
#endif
}

} // namespace part

// --- Registers --------------------------------------------------------------------------------------------------

struct F {
  NETC_MEMBERS(part::VF);
};
struct I {
  NETC_MEMBERS(part::VI);
};
struct B {
  NETC_MEMBERS(part::VB);
};

/// Loop bounds.
HWY_INLINE int64_t Min(int64_t a, int64_t b) { return b < a ? b : a; }
HWY_INLINE int64_t Max(int64_t a, int64_t b) { return a < b ? b : a; }
/// The number of lanes that `active` means.
HWY_INLINE int32_t ActiveLanes(int64_t active) { return static_cast<int32_t>(Max(0, Min(16, active))); }

/// A run-time scalar of type i32, whose bits stand in the table of floats.
HWY_INLINE int32_t IntegerScalar(const float &place) {
  int32_t x;
  std::memcpy(&x, &place, sizeof x);
  return x;
}

HWY_INLINE F Set(float x) { return NETC_PARTS(part::set, x); }
HWY_INLINE I Set(int32_t x) { return NETC_PARTS(part::setInt, x); }
/// base + step * lane, wrapping.
HWY_INLINE I Lanes(int64_t base, int64_t step) {
  return NETC_PARTS(part::lanes, static_cast<int32_t>(base), static_cast<int32_t>(step));
}
/// lane < active
HWY_INLINE B Mask(int64_t active) { return NETC_PARTS(part::below, ActiveLanes(active)); }
HWY_INLINE B Set(bool x) { return Mask(x ? 16 : 0); }

// --- Operations -------------------------------------------------------------------------------------------------

HWY_INLINE F Add(F x, F y) { return NETC_MAP2(hn::Add, x, y); }
HWY_INLINE F Sub(F x, F y) { return NETC_MAP2(hn::Sub, x, y); }
HWY_INLINE F Mul(F x, F y) { return NETC_MAP2(hn::Mul, x, y); }
HWY_INLINE F Div(F x, F y) { return NETC_MAP2(hn::Div, x, y); }
HWY_INLINE F Neg(F x) { return NETC_MAP1(hn::Neg, x); } // flips the sign bit
HWY_INLINE F Sqrt(F x) { return NETC_MAP1(hn::Sqrt, x); }
HWY_INLINE F MulAdd(F x, F y, F z) { return NETC_MAP3(hn::MulAdd, x, y, z); } // rounded once

/// A constant that the compiler must not compute with: it would not flush denormals.
HWY_INLINE F Opaque(F x) { return NETC_MAP1(part::opaque, x); }

HWY_INLINE I Add(I x, I y) { return NETC_MAP2(hn::Add, x, y); }
HWY_INLINE I Sub(I x, I y) { return NETC_MAP2(hn::Sub, x, y); }
HWY_INLINE I Mul(I x, I y) { return NETC_MAP2(hn::Mul, x, y); }
HWY_INLINE I And(I x, I y) { return NETC_MAP2(hn::And, x, y); }
HWY_INLINE I Or(I x, I y) { return NETC_MAP2(hn::Or, x, y); }
HWY_INLINE I Xor(I x, I y) { return NETC_MAP2(hn::Xor, x, y); }
template <int count> HWY_INLINE I ShiftLeft(I x) { return NETC_MAP1(hn::ShiftLeft<count>, x); }
template <int count> HWY_INLINE I ShiftRight(I x) { return NETC_MAP1(hn::ShiftRight<count>, x); }

HWY_INLINE B Lt(F x, F y) { return NETC_MAP2(part::lt, x, y); }
HWY_INLINE B Le(F x, F y) { return NETC_MAP2(part::le, x, y); }
HWY_INLINE B Eq(F x, F y) { return NETC_MAP2(part::eq, x, y); }
HWY_INLINE B Ne(F x, F y) { return NETC_MAP2(part::ne, x, y); }
HWY_INLINE B Lt(I x, I y) { return NETC_MAP2(part::ltInt, x, y); }
HWY_INLINE B Le(I x, I y) { return NETC_MAP2(part::leInt, x, y); }
HWY_INLINE B Eq(I x, I y) { return NETC_MAP2(part::eqInt, x, y); }
HWY_INLINE B Ne(I x, I y) { return NETC_MAP2(part::neInt, x, y); }
HWY_INLINE B And(B x, B y) { return NETC_MAP2(hn::And, x, y); }
HWY_INLINE B Or(B x, B y) { return NETC_MAP2(hn::Or, x, y); }
HWY_INLINE B Not(B x) { return NETC_MAP1(hn::Not, x); }
HWY_INLINE F Select(B m, F x, F y) { return NETC_MAP3(hn::IfThenElse, m, x, y); }
HWY_INLINE I Select(B m, I x, I y) { return NETC_MAP3(part::selectInt, m, x, y); }
HWY_INLINE B Select(B m, B x, B y) { return NETC_MAP3(part::selectMask, m, x, y); }

HWY_INLINE F ToReal(I x) { return NETC_MAP1(part::toReal, x); }
HWY_INLINE I ToInt(F x) { return NETC_MAP1(part::toInt, x); } // truncates
HWY_INLINE I BitsToInt(F x) { return NETC_MAP1(part::bitsToInt, x); }
HWY_INLINE F BitsToReal(I x) { return NETC_MAP1(part::bitsToReal, x); }

/// All lanes combined with lane ^ 8, then ^ 4, ^ 2, ^ 1; every lane gets the result.
HWY_INLINE F ReduceSum(F x) { return Set(part::foldRegister<part::SumOp>(part::DF(), x)); }
HWY_INLINE F ReduceProd(F x) { return Set(part::foldRegister<part::ProdOp>(part::DF(), x)); }
HWY_INLINE F ReduceMax(F x) { return Set(part::foldRegister<part::MaxOp>(part::DF(), x)); }
HWY_INLINE F ReduceMin(F x) { return Set(part::foldRegister<part::MinOp>(part::DF(), x)); }
HWY_INLINE I ReduceSum(I x) { return Set(part::foldRegister<part::SumOp>(part::DI(), x)); }
HWY_INLINE I ReduceProd(I x) { return Set(part::foldRegister<part::ProdOp>(part::DI(), x)); }
HWY_INLINE I ReduceMax(I x) { return Set(part::foldRegister<part::MaxOp>(part::DI(), x)); }
HWY_INLINE I ReduceMin(I x) { return Set(part::foldRegister<part::MinOp>(part::DI(), x)); }

// --- Memory: contiguous -----------------------------------------------------------------------------------------

HWY_INLINE F Load(const float *p) { return NETC_PARTS(part::load, p); }
HWY_INLINE I Load(const int32_t *p) { return NETC_PARTS(part::loadInt, p); }
HWY_INLINE I Load(const uint8_t *p) { return NETC_PARTS(part::loadBytes, p); }
HWY_INLINE B Load(const bool *p) { return Ne(Load(reinterpret_cast<const uint8_t *>(p)), Set(0)); }

HWY_INLINE void Store(F x, float *p) { NETC_EACH(part::store, x, p); }
HWY_INLINE void Store(I x, int32_t *p) { NETC_EACH(part::storeInt, x, p); }
HWY_INLINE void Store(I x, uint8_t *p) { NETC_EACH(part::storeBytes, x, p); }
HWY_INLINE void Store(B x, bool *p) { Store(Select(x, Set(1), Set(0)), reinterpret_cast<uint8_t *>(p)); }

/// Stores lane 0.
HWY_INLINE void StoreFirst(F x, float *p) { *p = hn::GetLane(x.a); }
HWY_INLINE void StoreFirst(I x, int32_t *p) { *p = hn::GetLane(x.a); }
HWY_INLINE void StoreFirst(I x, uint8_t *p) { *p = static_cast<uint8_t>(hn::GetLane(x.a)); }
HWY_INLINE void StoreFirst(B x, bool *p) { *p = hn::GetLane(Select(x, Set(1), Set(0)).a) != 0; }

// --- Memory: with a stride or some lanes only -------------------------------------------------------------------

/// Lane l of the result is p[stride * l] for l < active, else 0; other lanes touch no memory.
template <class T> HWY_INLINE auto GatherActive(const T *p, int64_t stride, int64_t active) {
  HWY_ALIGN T lane[16] = {};
  const int32_t n = ActiveLanes(active);
  for (int32_t l = 0; l < n; ++l) lane[l] = p[stride * l];
  return Load(lane);
}
template <class T> HWY_INLINE auto LoadActive(const T *p, int64_t active) { return GatherActive(p, 1, active); }

template <class R, class T> HWY_INLINE void ScatterActive(R x, T *p, int64_t stride, int64_t active) {
  HWY_ALIGN T lane[16];
  Store(x, lane);
  const int32_t n = ActiveLanes(active);
  for (int32_t l = 0; l < n; ++l) p[stride * l] = lane[l];
}
template <class R, class T> HWY_INLINE void Scatter(R x, T *p, int64_t stride) { ScatterActive(x, p, stride, 16); }
template <class R, class T> HWY_INLINE void StoreActive(R x, T *p, int64_t active) { ScatterActive(x, p, 1, active); }

HWY_INLINE F Gather(const float *p, int64_t stride) { return NETC_PARTS(part::gather, p, stride); }
HWY_INLINE I Gather(const int32_t *p, int64_t stride) { return NETC_PARTS(part::gatherInt, p, stride); }
HWY_INLINE I Gather(const uint8_t *p, int64_t stride) { return GatherActive(p, stride, 16); }
HWY_INLINE B Gather(const bool *p, int64_t stride) { return GatherActive(p, stride, 16); }

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL // masked lanes cannot fault

namespace part {
HWY_INLINE VF loadMasked(int i, const float *p, int32_t active) {
  return hn::MaskedLoad(below(i, active), DF(), p + i * size);
}
HWY_INLINE VI loadMaskedInt(int i, const int32_t *p, int32_t active) {
  return hn::MaskedLoad(forInt(below(i, active)), DI(), p + i * size);
}
HWY_INLINE void storeMasked(VF x, int i, float *p, int32_t active) {
  hn::BlendedStore(x, below(i, active), DF(), p + i * size);
}
HWY_INLINE void storeMaskedInt(VI x, int i, int32_t *p, int32_t active) {
  hn::BlendedStore(x, forInt(below(i, active)), DI(), p + i * size);
}
} // namespace part

HWY_INLINE F LoadActive(const float *p, int64_t active) {
  return NETC_PARTS(part::loadMasked, p, ActiveLanes(active));
}
HWY_INLINE I LoadActive(const int32_t *p, int64_t active) {
  return NETC_PARTS(part::loadMaskedInt, p, ActiveLanes(active));
}
HWY_INLINE void StoreActive(F x, float *p, int64_t active) {
  NETC_EACH(part::storeMasked, x, p, ActiveLanes(active));
}
HWY_INLINE void StoreActive(I x, int32_t *p, int64_t active) {
  NETC_EACH(part::storeMaskedInt, x, p, ActiveLanes(active));
}

#endif

} // namespace HWY_NAMESPACE
} // namespace simd
} // namespace netc
HWY_AFTER_NAMESPACE();

#undef NETC_MEMBERS
#undef NETC_MAP1
#undef NETC_MAP2
#undef NETC_MAP3
#undef NETC_PARTS
#undef NETC_EACH

// The next inclusion of Highway is for another instruction set.
#ifdef HWY_TARGET_TOGGLE
#undef HWY_TARGET_TOGGLE
#else
#define HWY_TARGET_TOGGLE
#endif
