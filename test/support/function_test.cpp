// Walks the function table. Each primitive gives the float nearest to its value, each expanded function is as accurate as
// its row says and each derivative is the slope of its value.
//   netc_function_test                 every 7993rd float, more of those that matter, those around powers of two
//   netc_function_test --stride 16     all floats from 2^-14 to 2^20 and each 16th of the others: minutes
//   netc_function_test --stride 1      all floats: five minutes a function
//   netc_function_test --only exp      one function
//   netc_function_test --table         prints docs/functions.md
#include "expansion.h"
#include "function_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

using namespace netc;
using loop::LaneValues;

namespace {

constexpr float smallest = std::numeric_limits<float>::min();

/// Denormals are zero, as arguments and as results.
double flushed(double v) {
  return std::fabs(v) < smallest ? std::copysign(0.0, v) : v;
}

/// The distance in units of the last place that `exact` has as a float. Below the smallest normal number zero is
/// right.
double ulps(float got, double exact) {
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) == std::isnan(got) ? 0 : INFINITY;
  if (std::fabs(exact) > std::numeric_limits<float>::max() && std::isinf(got) && (got > 0) == (exact > 0)) return 0;
  if (std::isinf(exact)) return INFINITY;
  if (std::fabs(exact) < smallest && got == 0) return 0;
  const double unit = std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
  const double value = std::isinf(got) ? std::copysign(0x1p128, got) : got;
  return std::fabs(value - exact) / unit;
}

struct Worst {
  double ulps = 0;
  float args[3] = {}, got = 0;
  double exact = 0;
  long compared = 0;
};

/// Arguments in, 16 at a time; the worst of them out.
class Measurement {
 public:
  explicit Measurement(const FnRow &f) : f(f), expansion(f.fn) {}

  void add(float x, float y = 0, float z = 0) {
    const float given[] = {x, y, z};
    for (int i = 0; i < 3; ++i)
      args[i].bits[used] = std::bit_cast<std::uint32_t>(given[i]);
    if (++used == loop::lanes) run();
  }
  Worst finish() {
    if (used > 0) run();
    return worst;
  }

 private:
  void run() {
    LaneValues result;
    {
      const loop::FlushDenormals flush;
      result = expansion.run(args);
    }
    for (int l = 0; l < used; ++l)
      compare(l, static_cast<float>(flushed(std::bit_cast<float>(result.bits[l]))));
    used = 0;
  }

  void compare(int lane, float got) {
    double at[3];
    for (int i = 0; i < 3; ++i)
      at[i] = flushed(std::bit_cast<float>(args[i].bits[lane]));
    const double exact = f.value(at);
    const double error = ulps(got, exact);
    ++worst.compared;
    if (error <= worst.ulps && worst.compared > 1) return;
    worst.ulps = error, worst.got = got, worst.exact = exact;
    for (int i = 0; i < 3; ++i)
      worst.args[i] = static_cast<float>(at[i]);
  }

  const FnRow &f;
  test::Expansion expansion;
  LaneValues args[3];
  int used = 0;
  Worst worst;
};

constexpr float edges[] = {0,      -0.0f,    1,         -1,       2,           -2,      3,    0.5f,
                           -0.5f,  88,       -88,       104,      -104,        1e4f,    -1e4f, 1e-30f,
                           -1e-30f, 1e30f,   -1e30f,    INFINITY, -INFINITY,   NAN,     1.17549435e-38f, 3.4e38f,
                           16777215, 16777216, 0.99999994f, 1.0000001f, 1e-38f, -1e-40f,
                            // the nearest to multiples of pi/2 from 2^-1, 2^21, 2^43, 2^64, 2^86 and 2^107 on
                            0x1.f9cbe2p+7f, 0x1.47d0fep+34f, 0x1.0f79ap+57f, 0x1.32ede2p+85f, -0x1.f37c8ap+95f, 0x1.b08c4ap+111f};

void measureUnary(Measurement &m, std::uint64_t stride) {
  for (std::uint64_t bits = 0; bits <= 0xffffffffu; bits += stride)
    m.add(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  for (std::uint32_t power = 0; power < 512; ++power) // both signs, around every power of two
    for (std::uint32_t near = 0; near < 128; ++near)
      m.add(std::bit_cast<float>((power << 23) + near - 64));
  for (std::uint32_t sign : {0u, 0x80000000u}) // where most happens, 2^-14 to 2^20
    for (std::uint64_t bits = (127u - 14) << 23; stride > 1 && bits < (127u + 20) << 23; bits += std::max<std::uint64_t>(stride / 16, 1))
      m.add(std::bit_cast<float>(sign | static_cast<std::uint32_t>(bits)));
  for (float x : edges)
    m.add(x);
}

void measureSeveral(Measurement &m, std::uint64_t stride) {
  for (float x : edges)
    for (float y : edges)
      m.add(x, y, y);
  std::mt19937 random(1);
  const auto anyFloat = [&] { return std::bit_cast<float>(static_cast<std::uint32_t>(random())); };
  const auto uniform = [&](float low, float high) {
    return low + (high - low) * (static_cast<float>(random()) * 0x1p-32f);
  };
  for (std::uint64_t k = 0; k < 0xffffffffu / stride / 4; ++k) {
    m.add(anyFloat(), anyFloat(), anyFloat());
    m.add(uniform(0, 3), uniform(-20, 20), uniform(-9, 9));
    m.add(uniform(-9, 9), std::floor(uniform(-40, 40)), 1);
    const float x = std::fabs(anyFloat()); // a power anywhere in the range of floats
    if (std::isfinite(x)) m.add(x, uniform(-89, 89) / std::log(x));
  }
}

int measure(const FnRow &f, std::uint64_t stride) {
  constexpr double rounding = 0.50001; // of primitives, whose value is rounded to double first
  Measurement m(f);
  f.arity == 1 ? measureUnary(m, stride) : measureSeveral(m, stride);
  const Worst w = m.finish();
  const double promised = isPrimitive(f.fn) ? rounding : f.ulps;
  const bool good = w.ulps <= promised && w.compared > 1000;
  fmt::print("{:9} {:.3f} ulp of {:.2f} at {:.9g}", f.name, w.ulps, promised, w.args[0]);
  for (int i = 1; i < f.arity; ++i)
    fmt::print(", {:.9g}", w.args[i]);
  fmt::print(": {:.9g}, exactly {:.9g}{}\n", w.got, w.exact, good ? "" : "   FAILED");
  std::fflush(stdout);
  return !good;
}

bool hasRealValue(const FnRow &f) {
  return f.signature == Signature::Real && f.value;
}

} // namespace

int main(int argc, char **argv) {
  std::uint64_t stride = 7993;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--table") {
      fmt::print("{}", test::functionTable());
      return 0;
    }
    if (option == "--stride" && i + 1 < argc) stride = std::strtoull(argv[++i], nullptr, 10);
    if (option == "--only" && i + 1 < argc) only = argv[++i];
  }
  if (stride == 0) return 2;
  int failures = 0, functions = 0, derivatives = 0;
  for (const FnRow &f : allFunctions()) {
    if (!only.empty() && f.name != only) continue;
    if (hasRealValue(f)) ++functions, failures += measure(f, stride);
    for (int k = 0; k < f.arity; ++k)
      if (!f.derivative[k].empty() && hasRealValue(f) && f.fn != Fn::Given) ++derivatives, failures += test::checkDerivative(f, k);
  }
  fmt::print("{} functions, {} derivatives, {} failures\n", functions, derivatives, failures);
  return failures == 0 && functions > 0 ? 0 : 1;
}
