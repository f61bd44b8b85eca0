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
double wrapped(double v) { // to two's complement 32 bits
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::int64_t>(v)));
}
std::int32_t asInt(double v) { return static_cast<std::int32_t>(v); }
std::uint64_t word(double v) { return static_cast<std::uint32_t>(asInt(v)); }
double uniformOf(double low, double high, double element) {
  return unitReal(threefry(word(high) << 32 | word(low), word(element)));
}

// Expansions. exp, log, sin and cos reduce their argument as Cody and Waite do; the polynomials are those of
// Moshier's Cephes library (single precision).
constexpr std::string_view expText = R"(
  let x1 = select(lt(89, a), 89, a); let x = select(lt(x1, -104), -104, x1);
  let n = fma(x, 1.44269504088896341, 12582912) - 12582912;
  let r = fma(n, 2.12194440e-4, fma(n, -0.693359375, x));
  let p0 = fma(1.9875691500e-4, r, 1.3981999507e-3); let p1 = fma(p0, r, 8.3334519073e-3);
  let p2 = fma(p1, r, 4.1665795894e-2); let p3 = fma(p2, r, 1.6666665459e-1); let p4 = fma(p3, r, 5.0000001201e-1);
  let p = fma(p4, r * r, r) + 1;
  let i = toInt(n); let i1 = shr(i, toInt(1)); let i2 = isub(i, i1);
  p * bitsToReal(shl(iadd(i1, toInt(127)), toInt(23))) * bitsToReal(shl(iadd(i2, toInt(127)), toInt(23))))";

constexpr std::string_view logText = R"(
  let i = bitsToInt(a);
  let m0 = bitsToReal(ior(iand(i, toInt(8388607)), toInt(1056964608)));
  let e0 = toReal(isub(shr(i, toInt(23)), toInt(126)));
  let small = lt(m0, 0.707106781186547524);
  let e = select(small, e0 - 1, e0); let m = select(small, m0 + m0 - 1, m0 - 1);
  let z = m * m;
  let p0 = fma(7.0376836292e-2, m, -1.1514610310e-1); let p1 = fma(p0, m, 1.1676998740e-1);
  let p2 = fma(p1, m, -1.2420140846e-1); let p3 = fma(p2, m, 1.4249322787e-1); let p4 = fma(p3, m, -1.6668057665e-1);
  let p5 = fma(p4, m, 2.0000714765e-1); let p6 = fma(p5, m, -2.4999993993e-1); let p7 = fma(p6, m, 3.3333331174e-1);
  let y = fma(-0.5, z, fma(e, -2.12194440e-4, p7 * m * z));
  let r = fma(e, 0.693359375, m + y);
  let positive = select(eq(a, inf), inf, r);
  let tiny = select(lt(a, 0), nan, -inf);
  select(ne(a, a), a, select(lt(a, 1.17549435e-38), tiny, positive)))";

constexpr std::string_view tanhText = R"(
  let z = a * a;
  let p0 = fma(-5.70498872745e-3, z, 2.06390887954e-2); let p1 = fma(p0, z, -5.37397155531e-2);
  let p2 = fma(p1, z, 1.33314422036e-1); let p3 = fma(p2, z, -3.33332819422e-1);
  let near = fma(p3 * z, a, a);
  let magnitude = abs(a);
  let far = 1 - 2 / (exp(magnitude + magnitude) + 1);
  select(lt(magnitude, 0.625), near, select(lt(a, 0), -far, far)))";

constexpr std::string_view softplusText = R"(
  let u = exp(-abs(a)); let w = 1 + u;
  relu(a) + (log(w) + (u - (w - 1)) / w))";

constexpr std::string_view floorText = R"(
  let t = toReal(toInt(a));
  select(lt(abs(a), 8388608), select(lt(a, t), t - 1, t), a))";

#define NETC_QUADRANT                                                                                                  \
  "let n = fma(a, 0.636619772367581343, 12582912) - 12582912;"                                                         \
  "let r = fma(n, -7.54978995489188216e-8, fma(n, -4.837512969970703125e-4, fma(n, -1.5703125, a)));"                  \
  "let z = r * r;"                                                                                                     \
  "let s = fma(fma(fma(-1.9515295891e-4, z, 8.3321608736e-3), z, -1.6666654611e-1) * z, r, r);"                        \
  "let c = fma(fma(fma(2.443315711809948e-5, z, -1.388731625493765e-3), z, 4.166664568298827e-2) * z, z,"              \
  "            fma(-0.5, z, 1));"
constexpr std::string_view sinText = NETC_QUADRANT R"(
  let q = toInt(n); let v = select(eq(iand(q, toInt(1)), toInt(0)), s, c);
  select(eq(iand(q, toInt(2)), toInt(0)), v, -v))";
constexpr std::string_view cosText = NETC_QUADRANT R"(
  let q = iadd(toInt(n), toInt(1)); let v = select(eq(iand(q, toInt(1)), toInt(0)), s, c);
  select(eq(iand(q, toInt(2)), toInt(0)), v, -v))";
#undef NETC_QUADRANT

constexpr std::string_view erfText = R"(
  let z = a * a;
  let p0 = fma(7.853861353153693e-5, z, -8.010193625184903e-4); let p1 = fma(p0, z, 5.188327685732524e-3);
  let p2 = fma(p1, z, -2.685381193529856e-2); let p3 = fma(p2, z, 1.128358514861418e-1);
  let p4 = fma(p3, z, -3.761262582423300e-1); let near = a * fma(p4, z, 1.128379165726710);
  let x = minimum(abs(a), 10); let q = 1 / x; let w = q * q;
  let a0 = fma(2.326819970068386e-2, w, -1.387039388740657e-1); let a1 = fma(a0, w, 3.687424674597105e-1);
  let a2 = fma(a1, w, -5.824733027278666e-1); let a3 = fma(a2, w, 6.210004621745983e-1);
  let a4 = fma(a3, w, -4.944515323274145e-1); let a5 = fma(a4, w, 3.404879937665872e-1);
  let a6 = fma(a5, w, -2.741127028184656e-1); let a7 = fma(a6, w, 5.638259427386472e-1);
  let far = 1 - exp(-x * x) * q * a7;
  select(lt(abs(a), 1), near, select(lt(a, 0), -far, far)))";

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
    {Fn::Exp, "exp", none, 1, S::Real, {"y", none, none}, [](const double *a) { return std::exp(a[0]); }, expText},
    {Fn::Log, "log", none, 1, S::Real, {"1 / a", none, none}, [](const double *a) { return std::log(a[0]); }, logText},
    {Fn::Pow, "pow", none, 2, S::Real, {"b * pow(a, b - 1)", "y * log(a)", none},
     [](const double *a) { return std::pow(a[0], a[1]); }, "select(eq(b, 0), 1, exp(b * log(a)))"},
    {Fn::Tanh, "tanh", none, 1, S::Real, {"1 - y * y", none, none}, [](const double *a) { return std::tanh(a[0]); }, tanhText},
    {Fn::Sigmoid, "sigmoid", none, 1, S::Real, {"y * (1 - y)", none, none},
     [](const double *a) { return 1 / (1 + std::exp(-a[0])); }, "1 / (1 + exp(-a))"},
    {Fn::Softplus, "softplus", none, 1, S::Real, {"sigmoid(a)", none, none},
     [](const double *a) { return a[0] != a[0] ? a[0] : softplusOf(a[0]); }, softplusText},
    {Fn::Sin, "sin", none, 1, S::Real, {"cos(a)", none, none}, [](const double *a) { return std::sin(a[0]); }, sinText},
    {Fn::Cos, "cos", none, 1, S::Real, {"-sin(a)", none, none}, [](const double *a) { return std::cos(a[0]); }, cosText},
    {Fn::Erf, "erf", none, 1, S::Real, {"1.1283791670955126 * exp(-a * a)", none, none},
     [](const double *a) { return std::erf(a[0]); }, erfText},
    {Fn::Uniform, "uniform", none, 3, S::IntToReal, {"0", "0", "0"},
     [](const double *a) { return uniformOf(a[0], a[1], a[2]); }, uniformText},
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
