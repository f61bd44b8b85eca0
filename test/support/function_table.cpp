#include "expansion.h"
#include "function_test.h"

#include <fmt/format.h>

namespace netc::test {

namespace {

constexpr std::string_view introduction = R"(# The functions

<!-- Written by `netc_function_test --table`; a test compares. -->

Scalar functions are rows of one table (`compiler/support/functions.cpp`), which this page is printed from: the derivative, as
text over the arguments `a`, `b`, `c` and the result `y`, and how a compiled model computes the function. `+ - * / sqrt fma` are
correctly rounded. All others are expanded into these, comparisons, selections and bit operations, the same for every
target, so that they give the same bits everywhere.

**Error** bounds the distance of the float32 result from the exact value, in units of the last place of the result; the float
nearest to the exact value has at most 0.5. `netc_function_test --stride 1 --only gelu` measures it for every float32, in some minutes. So
were found 1.02 for `exp`, 1.45 for `expm1`, 0.83 for `log`, 1.40 for `log1p`, 1.59 for `log1mexp`, 2.42 for `tanh`, 1.72
for `sigmoid`, 1.67 for `softplus`, 1.78 for `silu`, 1.58 for `sin` and `cos`, 1.56 for `erf`, 1.60 for `erfc` and 2.80 for `gelu`.
With `--stride 16` it looks at all arguments of a size from 2^-14 to 2^20 and each 16th of the others, for `pow` at 270 million pairs;
the test of every build looks at each 7993rd float, 16 times as many of the former, those around powers of two, some next to
multiples of pi/2, infinities, NaN and zeros.
**Operations** counts those of the expansion, for 16 lanes at a time.

Denormals (below 1.1754944e-38) count as zero, as arguments and as results: an exact value that is a denormal is 0, and
nothing larger is lost. A NaN gives NaN, except where another argument alone decides (`pow(x, 0)` is 1). `sin` and `cos` reduce an
argument of any size exactly enough. `log` of a negative number is NaN, of zero -inf. `pow` of a negative base is right for whole
exponents and NaN for others.

)";

std::string derivatives(const FnRow &f) {
  std::string text;
  for (int k = 0; k < f.arity; ++k)
    text += fmt::format("{}`{}`", k ? ", " : "", f.derivative[k].empty() ? "none" : f.derivative[k]);
  return text;
}

} // namespace

std::string functionTable() {
  std::string text(introduction);
  text += "| function | derivative | error | operations |\n|---|---|---|---|\n";
  for (const FnRow &f : allFunctions())
    if (f.signature == Signature::Real)
      text += fmt::format("| `{}` | {} | {} | {} |\n", f.symbol.empty() ? f.name : f.symbol, derivatives(f),
                          isPrimitive(f.fn) ? "0.5" : f.ulps == 0 ? "exact" : fmt::format("{:.2f}", f.ulps),
                          Expansion(f.fn).operations());
  return text;
}

} // namespace netc::test
