#include "compiler/support/functions.h"

#include "netc/random.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace netc {

std::string_view name(DType t) {
  switch (t) {
  case DType::F32: return "f32";
  case DType::I32: return "i32";
  case DType::U8: return "u8";
  case DType::Bool: return "bool";
  }
  return "?";
}

std::optional<DType> parseDType(std::string_view text) {
  for (DType t : {DType::F32, DType::I32, DType::U8, DType::Bool})
    if (name(t) == text) return t;
  return std::nullopt;
}

std::int64_t byteSize(DType t) { return t == DType::F32 || t == DType::I32 ? 4 : 1; }

namespace {

using S = Signature;
constexpr auto none = std::string_view();

double maximumOf(double a, double b) { return a < b || b != b ? b : a; }
double minimumOf(double a, double b) { return b < a || b != b ? b : a; }
double softplusOf(double a) { return std::fmax(a, 0.0) + std::log1p(std::exp(-std::fabs(a))); }
double log1mexpOf(double a) { return a > -M_LN2 ? std::log(-std::expm1(a)) : std::log1p(-std::exp(a)); }
double wrapped(double v) { // to two's complement 32 bits
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::int64_t>(v)));
}
std::int32_t asInt(double v) { return static_cast<std::int32_t>(v); }
std::uint64_t word(double v) { return static_cast<std::uint32_t>(asInt(v)); }
double uniformOf(double low, double high, double element) {
  return unitReal(threefry(word(high) << 32 | word(low), word(element)));
}

constexpr double infinity = std::numeric_limits<double>::infinity();
double siluOf(double a) { return a == -infinity ? 0 : a / (1 + std::exp(-a)); }
double geluOf(double a) { return a == -infinity ? 0 : 0.5 * a * std::erfc(-a * M_SQRT1_2); }
double powOf(double a, double b) { return std::pow(a == 0 ? 0 : a, b); } // of -0 as of 0

// Expansions. exp and log reduce their argument as Cody and Waite do; the polynomials of exp, log, sin, cos
// and erf are those of Moshier's Cephes library (single precision). The pieces that several functions share are macros.
// Denormal arguments and results are zero. Each text's largest error stands in its row.

// n = x / ln 2 to the nearest whole number, r = x - n ln 2 - `lower`, m = exp(r) - 1 for |r| <= 0.35.
#define NETC_EXPONENTIAL(lower)                                                                                        \
  "let n = fma(x, 1.44269504088896341, 12582912) - 12582912;"                                                          \
  "let r = fma(n, 2.12194440e-4, fma(n, -0.693359375, x))" lower ";"                                                   \
  "let e0 = fma(1.9875691500e-4, r, 1.3981999507e-3); let e1 = fma(e0, r, 8.3334519073e-3);"                           \
  "let e2 = fma(e1, r, 4.1665795894e-2); let e3 = fma(e2, r, 1.6666665459e-1); let e4 = fma(e3, r, 5.0000001201e-1);"  \
  "let m = fma(e4, r * r, r);"
// 2^n is added to the exponent of 1 + m, which is right while the result is a normal number.
#define NETC_POWER_OF_TWO "bitsToReal(iadd(bitsToInt(m + 1), shl(toInt(n), toInt(23))))"

constexpr std::string_view expText = R"(
  let high = lt(88.722832, a); let low = lt(a, -87.33654);
  let x = select(high, 0, select(low, 0, a));)" NETC_EXPONENTIAL("") R"(
  select(high, inf, select(low, 0, )" NETC_POWER_OF_TWO R"()))";

// 2^n m + (2^n - 1), all halved so that 2^n does not overflow, and m itself for n = 0.
constexpr std::string_view expm1Text = R"(
  let x0 = select(lt(89, a), 89, a); let x = select(lt(x0, -25), -25, x0);)" NETC_EXPONENTIAL("") R"(
  let s = bitsToReal(shl(iadd(toInt(n), toInt(126)), toInt(23)));
  let h = fma(s, m, s - 0.5); select(eq(n, 0), m, h + h))";

// tanh(x) = v / (v + 2) with v = exp(2 x) - 1; the sign is put back at the end.
constexpr std::string_view tanhText = R"(
  let b = minimum(abs(a), 10); let x = b + b;)" NETC_EXPONENTIAL("") R"(
  let s = bitsToReal(shl(iadd(toInt(n), toInt(127)), toInt(23)));
  let v = fma(s, m, s - 1);
  bitsToReal(ior(bitsToInt(v / (v + 2)), iand(bitsToInt(a), toInt(-2147483648)))))";

// i: the bits of a positive number. It is 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
#define NETC_MANTISSA                                                                                                  \
  "let m0 = bitsToReal(ior(iand(i, toInt(8388607)), toInt(1056964608)));"                                              \
  "let e0 = toReal(isub(shr(i, toInt(23)), toInt(126)));"                                                              \
  "let small = lt(m0, 0.707106781186547524); let e = select(small, e0 - 1, e0);"
// r = log(2^e (1 + f)).
#define NETC_LOGARITHM                                                                                                 \
  "let z = f * f;"                                                                                                     \
  "let l0 = fma(7.0376836292e-2, f, -1.1514610310e-1); let l1 = fma(l0, f, 1.1676998740e-1);"                          \
  "let l2 = fma(l1, f, -1.2420140846e-1); let l3 = fma(l2, f, 1.4249322787e-1);"                                       \
  "let l4 = fma(l3, f, -1.6668057665e-1); let l5 = fma(l4, f, 2.0000714765e-1);"                                       \
  "let l6 = fma(l5, f, -2.4999993993e-1); let l7 = fma(l6, f, 3.3333331174e-1);"                                       \
  "let y = fma(-0.5, z, fma(e, -2.12194440e-4, l7 * f * z));"                                                          \
  "let r = fma(e, 0.693359375, f + y);"

constexpr std::string_view logText = "let i = bitsToInt(a);" NETC_MANTISSA
  "let f = select(small, m0 + m0 - 1, m0 - 1);" NETC_LOGARITHM R"(
  let positive = select(eq(a, inf), inf, r);
  let tiny = select(lt(a, 0), nan, -inf);
  select(ne(a, a), a, select(lt(a, 1.17549435e-38), tiny, positive)))";

// log(1 + a): what rounding took from w = 1 + a joins f, scaled as w was.
constexpr std::string_view log1pText = R"(
  let w = 1 + a; let lost = (a - (w - 1)) + (1 - (w - (w - 1)));
  let i = bitsToInt(w);)" NETC_MANTISSA R"(
  let scale = bitsToReal(shl(isub(toInt(127), toInt(e)), toInt(23)));
  let f = fma(lost, select(lt(a, 8388608), scale, 0), select(small, m0 + m0 - 1, m0 - 1));)" NETC_LOGARITHM R"(
  let normal = select(eq(a, inf), inf, r);
  let below = select(lt(w, 0), nan, -inf);
  select(ne(a, a), a, select(lt(w, 1.17549435e-38), below, normal)))";

// log(1 - exp(a)). w + lost is 1 - 2^n (1 + m), where s is -2^n.
constexpr std::string_view log1mexpText = R"(
  let x = select(lt(a, -87.33654), -87.33654, a);)" NETC_EXPONENTIAL("") R"(
  let s = -bitsToReal(shl(iadd(toInt(n), toInt(127)), toInt(23))); let s1 = s + 1; let s2 = fma(s, m, s - (s1 - 1));
  let w = s1 + s2; let lost = s2 - (w - s1);
  let i = bitsToInt(w);)" NETC_MANTISSA R"(
  let scale = bitsToReal(shl(isub(toInt(127), toInt(e)), toInt(23)));
  let f = fma(lost, scale, select(small, m0 + m0 - 1, m0 - 1));)" NETC_LOGARITHM R"(
  select(lt(a, 0), select(lt(a, -87.33654), 0, r), select(eq(a, 0), -inf, nan)))";

// relu(a) + log(1 + u) with u = exp(-|a|), as in log1p, where 1 <= w <= 2.
constexpr std::string_view softplusText = R"(
  let u = exp(-abs(a)); let w = 1 + u; let lost = u - (w - 1);
  let big = lt(1.41421356237309505, w);
  let e = select(big, 1, 0);
  let f = select(big, fma(0.5, lost, fma(0.5, w, -1)), w - 1 + lost);)" NETC_LOGARITHM R"(
  relu(a) + r)";

// w = `one` + 2^n (1 + m), with the 1 that `one` + 2^n may round away; `bias` - 127 is added to n.
#define NETC_ONE_PLUS_EXPONENTIAL(one, bias)                                                                           \
  NETC_EXPONENTIAL("")                                                                                                 \
  "let s = bitsToReal(shl(iadd(toInt(n), " bias "), toInt(23))); let s1 = s + " one ";"                                \
  "let w = fma(s, m, " one " - (s1 - s)) + s1;"

// 1 / (1 + exp(-a)). Below -88 the result is a denormal, thus zero.
constexpr std::string_view sigmoidText = R"(
  let x0 = select(lt(a, -88), 88, -a); let x = select(lt(x0, -25), -25, x0);)"
  NETC_ONE_PLUS_EXPONENTIAL("1", "toInt(127)") "1 / w";

// a / (1 + exp(-a)). Where exp(-a) would overflow before the result vanishes, w is taken 2^-32 times.
constexpr std::string_view siluText = R"(
  let d = select(lt(a, -100), -100, a); let far = lt(d, -50); let one = select(far, 0, 1);
  let x = select(lt(25, d), -25, -d);)"
  NETC_ONE_PLUS_EXPONENTIAL("one", "select(far, toInt(95), toInt(127))") R"(
  d / w * select(far, 2.3283064365386963e-10, 1))";

constexpr std::string_view floorText = R"(
  let t = toReal(toInt(a));
  select(lt(abs(a), 8388608), select(lt(a, t), t - 1, t), a))";

// By the size of b: which part of 1 / (2 pi) counts.
#define NETC_PART(c5, c4, c3, c2, c1, c0)                                                                              \
  "select(b5, " c5 ", select(b4, " c4 ", select(b3, " c3 ", select(b2, " c2 ", select(b1, " c1 ", " c0 ")))));"
// |a| is q quarters of a turn and r, after Payne and Hanek. An a of 2^k or more is a multiple of 2^(k-23), so that the bits of
// 1 / (2 pi) which are worth 2^(23-k) or more make whole turns of it. w0 + w1 + w2 + w3 is what is left, for k = -1, 21, 43, 64, 86
// and 107, all times 2^64 lest some be denormal. w0 ends with the bit worth 2^-k: what a w0 has beyond whole turns is a multiple of
// 2^-23 and thus a float. p and l are a product, p0 never negative, and what rounding took from it. The turns beyond whole ones (the
// last place of 1.5 2^23 + p is a turn) and beyond whole quarters (that of 1.5 2^21 is one) are t + f + s, the sum of which is u + l.
#define NETC_QUADRANT                                                                                                  \
  "let b = abs(a); let x = b * 5.421010862427522e-20;"                                                                 \
  "let b1 = le(2097152, b); let b2 = le(8796093022208, b); let b3 = le(18446744073709551616, b);"                      \
  "let b4 = le(7.737125245533627e25, b); let b5 = le(1.6225927682921336e32, b);"                                       \
  "let w0 = " NETC_PART("3.5494782e-7", "0.49624372", "1115466", "9.430746e11", "2.9358896e18", "0")                     \
  "let w1 = " NETC_PART("4.6954638e-14", "1.16529286e-7", "0.49624383", "-981685.5", "9.430736e11", "2.9358904e18")    \
  "let w2 = " NETC_PART("1.4497549e-21", "-2.7833522e-15", "-2.6800067e-9", "-0.0037561683", "1354.4962", "1.1843987e11") \
  "let w3 = " NETC_PART("-2.1345295e-29", "-3.255279e-23", "1.0322766e-16", "1.1396117e-10", "2.8011504e-5", "1354.4962") \
  "let p0 = x * w0; let l0 = fma(x, w0, -p0);"                                                                         \
  "let p1 = x * w1; let l1 = fma(x, w1, -p1);"                                                                         \
  "let p2 = x * w2; let l2 = fma(x, w2, -p2);"                                                                         \
  "let fine = lt(p0, 8388608); let v = select(fine, p0, l0);"                                                          \
  "let t = v - (v + 12582912 - 12582912) + select(fine, l0, 0);"                                                       \
  "let f = p1 - (p1 + 12582912 - 12582912); let s = l1 + p2;"                                                          \
  "let h = t + (f + s) + 3145728; let g = t - (h - 3145728) + f;"                                                      \
  "let u = g + s; let l = p2 - (s - l1) + (s - (u - g) + fma(x, w3, l2));"                                             \
  "let far = fma(u, 6.28318548, fma(u, -1.7484556e-7, l * 6.28318548));"                                               \
  "let r = select(lt(b, 0.785), b, far); let q = bitsToInt(h); let z = r * r;"                                         \
  "let odd = fma(fma(fma(-1.9515295891e-4, z, 8.3321608736e-3), z, -1.6666654611e-1) * z, r, r);"                      \
  "let even = fma(fma(fma(2.443315711809948e-5, z, -1.388731625493765e-3), z, 4.166664568298827e-2) * z, z,"           \
  "               fma(-0.5, z, 1));"
// The number, and its opposite where `flips` has the highest bit.
#define NETC_SIGNED(number, flips)                                                                                     \
  "bitsToReal(ixor(bitsToInt(" number "), iand(" flips ", toInt(-2147483648))))"
constexpr std::string_view sinText = NETC_QUADRANT R"(
  let size = select(eq(iand(q, toInt(1)), toInt(0)), odd, even);
  )" NETC_SIGNED("size", "ixor(shl(q, toInt(30)), bitsToInt(a))");
constexpr std::string_view cosText = NETC_QUADRANT R"(
  let size = select(eq(iand(q, toInt(1)), toInt(0)), even, odd);
  )" NETC_SIGNED("size", "shl(iadd(q, toInt(1)), toInt(30))");

// near = erf(a) for |a| < 1.
#define NETC_ERF_NEAR                                                                                                  \
  "let z = a * a;"                                                                                                     \
  "let p0 = fma(7.882497102582e-5, z, -8.018854990491e-4); let p1 = fma(p0, z, 5.189311942414e-3);"                     \
  "let p2 = fma(p1, z, -2.685432879591e-2); let p3 = fma(p2, z, 1.128359746348e-1);"                                    \
  "let p4 = fma(p3, z, -3.761262690358e-1); let near = fma(a, fma(p4, z, 1.283791658815e-1), a);"

constexpr std::string_view erfText = NETC_ERF_NEAR R"(
  let x = minimum(abs(a), 10); let q = 1 / x; let w = q * q;
  let a0 = fma(2.326819970068386e-2, w, -1.387039388740657e-1); let a1 = fma(a0, w, 3.687424674597105e-1);
  let a2 = fma(a1, w, -5.824733027278666e-1); let a3 = fma(a2, w, 6.210004621745983e-1);
  let a4 = fma(a3, w, -4.944515323274145e-1); let a5 = fma(a4, w, 3.404879937665872e-1);
  let a6 = fma(a5, w, -2.741127028184656e-1); let a7 = fma(a6, w, 5.638259427386472e-1);
  let far = 1 - exp(-x * x) * q * a7;
  select(lt(abs(a), 1), near, select(lt(a, 0), -far, far)))";

// The upper tail of the normal distribution beyond d is t P(t) exp(-d^2/2) with t = 1 / (1 + 0.3 d). Here c is d or
// d/sqrt(2), `k` + `kl` is 0.3 or 0.3 sqrt(2), and `half` c^2 is d^2/2; p s is the tail. What rounding took away is added
// again: `lost` from 1/t, `rest` from t, whose share in the result is (0.9 + 1.75 t) rest, l from the square, t7l and t8l from the
// polynomial, gl from g, ml from m.
#define NETC_TAIL(k, kl, half)                                                                                         \
  "let w = fma(c, " k ", 1); let t = 1 / w; let lost = fma(c, " kl ", fma(c, " k ", 1 - w));"                          \
  "let rest = fma(-w, t, 1) - t * lost;"                                                                               \
  "let t0 = fma(-2.062006192605e-2, t, 1.124164394830e-1); let t1 = fma(t0, t, -2.281667546939e-1);"                   \
  "let t2 = fma(t1, t, 1.917194430779e-1); let t3 = fma(t2, t, -7.936692224737e-2);"                                   \
  "let t4 = fma(t3, t, 9.612501550018e-2); let t5 = fma(t4, t, 7.840120471210e-2);"                                    \
  "let t6 = fma(t5, t, 1.102328178378e-1); let t7 = fma(t6, t, 1.195721446626e-1);"                                    \
  "let t7l = fma(t6, t, 1.195721446626e-1 - t7);"                                                                      \
  "let t8 = fma(t7, t, 1.196866718658e-1); let t8l = fma(t7l, t, fma(t7, t, 1.196866718658e-1 - t8));"                 \
  "let g = t * t8; let gl = fma(t, t8, -g) + t * t8l;"                                                                 \
  "let h = " half " * c; let x0 = -(h * c); let l = fma(h, c, x0);"                                                    \
  "let low = lt(x0, -87.33654); let x = select(low, 0, x0);" NETC_EXPONENTIAL("")                                      \
  "let ml = fma(e4, r * r, r - m); let k = fma(fma(fma(1.75, t, 0.9), rest, -l), g, gl);"                              \
  "let p = g + fma(g, m, fma(k, 1 + m, g * ml));"                                                                      \
  "let s = select(low, 0, bitsToReal(shl(iadd(toInt(n), toInt(127)), toInt(23))));"

constexpr std::string_view erfcText = "let c = minimum(abs(a), 11);"
  NETC_TAIL("0.424264073", "-4.6599587e-09", "1") NETC_ERF_NEAR R"(
  let q = (p + p) * s; select(lt(abs(a), 0.5), 1 - near, select(lt(a, 0), 2 - q, q)))";

// a times the lower tail; the order of the products keeps intermediate results from becoming denormals before the end does.
constexpr std::string_view geluText = "let c = minimum(abs(a), 14);"
  NETC_TAIL("0.300000012", "-1.1920929e-08", "0.5") "select(lt(a, 0), -(c * p * s), fma(-c, p * s, a))";

// exp(b log|a|), the logarithm and the product in two parts each: the sum of two floats, the second below the first's last
// place. With s = f / (2 + f), log(1 + f) = 2 s + s^3 (2/3 + 2/5 s^2 + ...).
constexpr std::string_view powText = R"(
  let magnitude = abs(a); let i = bitsToInt(magnitude);)" NETC_MANTISSA R"(
  let f = select(small, m0 + m0 - 1, m0 - 1);
  let g = f + 2; let gl = f - (g - 2); let inverse = 1 / g;
  let s = f * inverse; let sl = fma(-s, gl, fma(-s, g, f)) * inverse;
  let s2 = s * s; let s2l = fma(s + s, sl, fma(s, s, -s2));
  let s3 = s2 * s; let s3l = fma(s2, sl, fma(s2l, s, fma(s2, s, -s3)));
  let u = fma(fma(fma(0.19, s2, 0.2222222), s2, 0.28571429), s2, 0.4) * s2;
  let v = 0.66666668653488159 + u; let vl = u - (v - 0.66666668653488159) - 1.98682155e-8;
  let w = s3 * v; let wl = fma(s3l, v, fma(s3, vl, fma(s3, v, -w)));
  let k = s + s + w; let kl = w - (k - (s + s)) + (sl + sl + wl);
  let eh = e * 0.693359375; let j = eh + k; let jl = select(eq(e, 0), 0, k - (j - eh)) + fma(e, -2.12194440e-4, kl);
  let log0 = j + jl; let log1 = jl - (log0 - j);
  let y0 = b * log0; let y1 = fma(b, log1, fma(b, log0, -y0));
  let high = lt(89, y0); let low = lt(y0, -89);
  let x = select(high, 0, select(low, 0, y0));)" NETC_EXPONENTIAL(" + y1") R"(
  let i0 = shr(toInt(n), toInt(1)); let i1 = isub(toInt(n), i0);
  let e1_ = bitsToReal(shl(iadd(i0, toInt(127)), toInt(23))); let e2_ = bitsToReal(shl(iadd(i1, toInt(127)), toInt(23)));
  let p0 = select(high, inf, select(low, 0, (m + 1) * e1_ * e2_));
  let p1 = select(eq(magnitude, 0), select(lt(b, 0), inf, 0), select(eq(magnitude, inf), select(lt(b, 0), 0, inf), p0));
  let p = select(eq(magnitude, 1), 1, p1);
  let whole = lt(16777215.5, abs(b)); let bi = toInt(select(whole, 0, b));
  let negative = select(or(whole, eq(toReal(bi), b)), select(eq(iand(bi, toInt(1)), toInt(0)), p, -p), select(eq(magnitude, inf), p, nan));
  let signed = select(and(lt(a, 0), ne(magnitude, 0)), negative, p);
  select(eq(b, 0), 1, select(eq(a, 1), 1, select(ne(a, a), a, select(ne(b, b), b, signed)))))";
#undef NETC_TAIL
#undef NETC_ERF_NEAR
#undef NETC_SIGNED
#undef NETC_QUADRANT
#undef NETC_PART
#undef NETC_ONE_PLUS_EXPONENTIAL
#undef NETC_LOGARITHM
#undef NETC_MANTISSA
#undef NETC_POWER_OF_TWO
#undef NETC_EXPONENTIAL

// Threefry2x32 with 20 rounds (netc/random.h), less what only its second word needs at the end.
#define NETC_ROUND(LEFT, RIGHT, KEPT) /* y rotated left; KEPT: the bits that come in from the right, 2^LEFT - 1 */     \
  "let x = iadd(x, y);"                                                                                                \
  "let y = ixor(ior(shl(y, toInt(" LEFT ")), iand(shr(y, toInt(" RIGHT ")), toInt(" KEPT "))), x);"
#define NETC_ROUNDS_A                                                                                                  \
  NETC_ROUND("13", "19", "8191") NETC_ROUND("15", "17", "32767") NETC_ROUND("26", "6", "67108863") NETC_ROUND("6", "26", "63")
#define NETC_ROUNDS_B                                                                                                  \
  NETC_ROUND("17", "15", "131071") NETC_ROUND("29", "3", "536870911") NETC_ROUND("16", "16", "65535")                  \
  NETC_ROUND("24", "8", "16777215")
#define NETC_INJECT(X, Y, NUMBER) "let x = iadd(x, " X "); let y = iadd(y, iadd(" Y ", toInt(" NUMBER ")));"
constexpr std::string_view uniformText =
    "let k = ixor(ixor(a, b), toInt(466688986));"
    "let x = iadd(c, a); let y = b;" NETC_ROUNDS_A NETC_INJECT("b", "k", "1") NETC_ROUNDS_B NETC_INJECT("k", "a", "2")
    NETC_ROUNDS_A NETC_INJECT("a", "b", "3") NETC_ROUNDS_B NETC_INJECT("b", "k", "4") NETC_ROUNDS_A
    "let x = iadd(x, k);"
    "toReal(iand(shr(x, toInt(8)), toInt(16777215))) * 5.9604644775390625e-8";
#undef NETC_ROUND
#undef NETC_ROUNDS_A
#undef NETC_ROUNDS_B
#undef NETC_INJECT

// One row a function, in the order of the enumeration (checked below).
constexpr FnRow table[] = {
    {Fn::Add, "add", "+", 2, S::Real, {"1", "1", none}, [](const double *a) { return a[0] + a[1]; }, none},
    {Fn::Sub, "sub", "-", 2, S::Real, {"1", "-1", none}, [](const double *a) { return a[0] - a[1]; }, none},
    {Fn::Mul, "mul", "*", 2, S::Real, {"b", "a", none}, [](const double *a) { return a[0] * a[1]; }, none},
    {Fn::Div, "div", "/", 2, S::Real, {"1 / b", "-y / b", none}, [](const double *a) { return a[0] / a[1]; }, none},
    {Fn::Neg, "neg", none, 1, S::Real, {"-1", none, none}, [](const double *a) { return -a[0]; }, none},
    {Fn::Sqrt, "sqrt", none, 1, S::Real, {"0.5 / y", none, none}, [](const double *a) { return std::sqrt(a[0]); }, none},
    {Fn::Fma, "fma", none, 3, S::Real, {"b", "a", "1"}, [](const double *a) { return std::fma(a[0], a[1], a[2]); }, none},
    {Fn::Lt, "lt", "<", 2, S::Compare, {"0", "0", none}, [](const double *a) { return double(a[0] < a[1]); }, none},
    {Fn::Le, "le", "<=", 2, S::Compare, {"0", "0", none}, [](const double *a) { return double(a[0] <= a[1]); }, none},
    {Fn::Eq, "eq", "==", 2, S::Compare, {"0", "0", none}, [](const double *a) { return double(a[0] == a[1]); }, none},
    {Fn::Ne, "ne", "!=", 2, S::Compare, {"0", "0", none}, [](const double *a) { return double(a[0] != a[1]); }, none},
    {Fn::Select, "select", none, 3, S::Choose, {"0", "select(a, 1, 0)", "select(a, 0, 1)"},
     [](const double *a) { return a[0] != 0 ? a[1] : a[2]; }, none},
    {Fn::And, "and", none, 2, S::Logic, {"0", "0", none}, [](const double *a) { return double(a[0] != 0 && a[1] != 0); }, none},
    {Fn::Or, "or", none, 2, S::Logic, {"0", "0", none}, [](const double *a) { return double(a[0] != 0 || a[1] != 0); }, none},
    {Fn::Not, "not", none, 1, S::Logic, {"0", none, none}, [](const double *a) { return double(a[0] == 0); }, none},
    {Fn::IAdd, "iadd", none, 2, S::Integer, {"0", "0", none}, [](const double *a) { return wrapped(a[0] + a[1]); }, none},
    {Fn::ISub, "isub", none, 2, S::Integer, {"0", "0", none}, [](const double *a) { return wrapped(a[0] - a[1]); }, none},
    {Fn::IMul, "imul", none, 2, S::Integer, {"0", "0", none},
     [](const double *a) { return wrapped(double(std::int64_t(a[0]) * std::int64_t(a[1]) % (std::int64_t(1) << 32))); }, none},
    {Fn::IAnd, "iand", none, 2, S::Integer, {"0", "0", none}, [](const double *a) { return double(asInt(a[0]) & asInt(a[1])); }, none},
    {Fn::IOr, "ior", none, 2, S::Integer, {"0", "0", none}, [](const double *a) { return double(asInt(a[0]) | asInt(a[1])); }, none},
    {Fn::IXor, "ixor", none, 2, S::Integer, {"0", "0", none}, [](const double *a) { return double(asInt(a[0]) ^ asInt(a[1])); }, none},
    {Fn::Shl, "shl", none, 2, S::Integer, {"0", "0", none},
     [](const double *a) { return wrapped(double(std::int64_t(std::uint32_t(asInt(a[0])) << asInt(a[1])))); }, none},
    {Fn::Shr, "shr", none, 2, S::Integer, {"0", "0", none}, [](const double *a) { return double(asInt(a[0]) >> asInt(a[1])); }, none},
    {Fn::ToReal, "toReal", none, 1, S::IntToReal, {"0", none, none}, [](const double *a) { return a[0]; }, none},
    {Fn::ToInt, "toInt", none, 1, S::RealToInt, {"0", none, none}, [](const double *a) { return std::trunc(a[0]); }, none},
    {Fn::BitsToInt, "bitsToInt", none, 1, S::RealToInt, {none, none, none}, nullptr, none},
    {Fn::BitsToReal, "bitsToReal", none, 1, S::IntToReal, {none, none, none}, nullptr, none},
    {Fn::Abs, "abs", none, 1, S::Real, {"select(a < 0, -1, select(0 < a, 1, 0))", none, none},
     [](const double *a) { return std::fabs(a[0]); }, "bitsToReal(iand(bitsToInt(a), toInt(2147483647)))"},
    {Fn::Minimum, "minimum", none, 2, S::Real, {"select(a <= b, 1, 0)", "select(a <= b, 0, 1)", none},
     [](const double *a) { return minimumOf(a[0], a[1]); }, "select(lt(b, a), b, select(ne(b, b), b, a))"},
    {Fn::Maximum, "maximum", none, 2, S::Real, {"select(b <= a, 1, 0)", "select(b <= a, 0, 1)", none},
     [](const double *a) { return maximumOf(a[0], a[1]); }, "select(lt(a, b), b, select(ne(b, b), b, a))"},
    {Fn::Floor, "floor", none, 1, S::Real, {"0", none, none}, [](const double *a) { return std::floor(a[0]); }, floorText},
    {Fn::Relu, "relu", none, 1, S::Real, {"select(0 < y, 1, 0)", none, none},
     [](const double *a) { return a[0] < 0 ? 0 : a[0]; }, "select(lt(a, 0), 0, a)"},
    {Fn::Exp, "exp", none, 1, S::Real, {"y", none, none}, [](const double *a) { return std::exp(a[0]); }, expText, 1.1},
    {Fn::Expm1, "expm1", none, 1, S::Real, {"exp(a)", none, none}, [](const double *a) { return std::expm1(a[0]); }, expm1Text, 1.6},
    {Fn::Log, "log", none, 1, S::Real, {"1 / a", none, none}, [](const double *a) { return std::log(a[0]); }, logText, 0.9},
    {Fn::Log1p, "log1p", none, 1, S::Real, {"1 / (1 + a)", none, none}, [](const double *a) { return std::log1p(a[0]); }, log1pText, 1.6},
    {Fn::Log1mexp, "log1mexp", none, 1, S::Real, {"-1 / expm1(-a)", none, none},
     [](const double *a) { return log1mexpOf(a[0]); }, log1mexpText, 1.7},
    {Fn::Pow, "pow", none, 2, S::Real, {"b * pow(a, b - 1)", "y * log(a)", none},
     [](const double *a) { return powOf(a[0], a[1]); }, powText, 1.6},
    {Fn::Tanh, "tanh", none, 1, S::Real, {"1 - y * y", none, none}, [](const double *a) { return std::tanh(a[0]); }, tanhText, 2.6},
    {Fn::Sigmoid, "sigmoid", none, 1, S::Real, {"y * (1 - y)", none, none},
     [](const double *a) { return 1 / (1 + std::exp(-a[0])); }, sigmoidText, 1.8},
    {Fn::Softplus, "softplus", none, 1, S::Real, {"sigmoid(a)", none, none},
     [](const double *a) { return a[0] != a[0] ? a[0] : softplusOf(a[0]); }, softplusText, 1.8},
    {Fn::Silu, "silu", none, 1, S::Real, {"sigmoid(a) + y * sigmoid(-a)", none, none},
     [](const double *a) { return siluOf(a[0]); }, siluText, 1.9},
    {Fn::Sin, "sin", none, 1, S::Real, {"cos(a)", none, none}, [](const double *a) { return std::sin(a[0]); }, sinText, 1.6},
    {Fn::Cos, "cos", none, 1, S::Real, {"-sin(a)", none, none}, [](const double *a) { return std::cos(a[0]); }, cosText, 1.6},
    {Fn::Erf, "erf", none, 1, S::Real, {"1.1283791670955126 * exp(-a * a)", none, none},
     [](const double *a) { return std::erf(a[0]); }, erfText, 1.6},
    {Fn::Erfc, "erfc", none, 1, S::Real, {"-1.1283791670955126 * exp(-a * a)", none, none},
     [](const double *a) { return std::erfc(a[0]); }, erfcText, 1.8},
    {Fn::Gelu, "gelu", none, 1, S::Real, {"0.5 * erfc(-0.7071067811865476 * a) + 0.3989422804014327 * a * exp(-0.5 * a * a)", none, none},
     [](const double *a) { return geluOf(a[0]); }, geluText, 2.8},
    {Fn::Uniform, "uniform", none, 3, S::IntToReal, {"0", "0", "0"},
     [](const double *a) { return uniformOf(a[0], a[1], a[2]); }, uniformText},
    {Fn::Given, "given", none, 3, S::Real, {"0", "c", "0"}, [](const double *a) { return a[0]; }, "a"},
};

constexpr bool inOrder() {
  for (int i = 0; i < fnCount; ++i)
    if (static_cast<int>(table[i].fn) != i) return false;
  return std::size(table) == static_cast<std::size_t>(fnCount);
}
static_assert(inOrder(), "the table's rows stand in the order of Fn");

} // namespace

const FnRow &row(Fn f) { return table[static_cast<int>(f)]; }
std::span<const FnRow> allFunctions() { return table; }

std::optional<Fn> findFunction(std::string_view name) {
  for (const FnRow &r : table)
    if (r.name == name) return r.fn;
  return std::nullopt;
}

} // namespace netc
