// Flips the sign of each derivative row of the function table in turn, and makes it zero: the gradient check must
// notice every one.
#include "compiler/grad/check.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verifier.h"

#include <fmt/format.h>

#include <string>

using namespace netc;

namespace {

/// A loss that uses the function with all its arguments depending on parameters. The values suit log, sqrt
/// and pow. `alone`: the loss depends on them through the function only.
std::string lossOf(const FnRow &f, bool alone = false) {
  const bool negative = f.fn == Fn::Log1mexp; // it has no value elsewhere
  const std::string arguments[] = {negative ? "-w[i]" : "w[i]", "u[i]", "w[i] * u[i]"};
  std::string call = std::string(f.name) + "(";
  for (int k = 0; k < f.arity; ++k) {
    const bool condition = f.fn == Fn::Select && k == 0;
    call += (k ? ", " : "") + (condition ? std::string("w[i] < u[i]") : arguments[k]);
  }
  return fmt::format(R"(module one batch 2
param w: f32[6] ~ uniform(0.5, 1.5)
param u: f32[6] ~ uniform(0.5, 1.5)
entry trainStep {{
  assign y: f32[6] {{ [i] = {}) over i < 6 }}
  sum l: f32[] {{ [] += y[i]{} over i < 6 }}
  loss loss = l
}}
)",
                     call, alone ? "" : " * (w[i] + u[i])");
}

/// `large`: as a large model is checked, by directions only.
bool checkPasses(const std::string &text, bool large, const grad::DerivativeTable &table, std::string *report, int *compared) {
  Diagnostics diagnostics;
  graph::Module m = graph::parse(text, "loss.graph", diagnostics);
  if (!diagnostics.hasErrors()) graph::verify(m, diagnostics);
  grad::CheckOptions options;
  options.table = table;
  if (large) options.work = 1;
  grad::CheckReport found;
  if (!diagnostics.hasErrors()) found = grad::checkGradients(m.entries[0], options, diagnostics);
  *report = diagnostics.str() + found.str();
  *compared = found.compared();
  return !diagnostics.hasErrors() && found.passed();
}

/// Whether the check fails with this derivative for an argument of the function. A row may enter the loss otherwise,
/// too: y * (w + u) uses add and mul themselves.
bool isNoticed(const FnRow &f, bool large, bool alone, int argument, const std::string &wrong) {
  auto table = [&](Fn fn, int k) {
    return fn == f.fn && k == argument ? std::string_view(wrong) : grad::standardDerivative(fn, k);
  };
  std::string report;
  int compared = 0;
  if (!checkPasses(lossOf(f, alone), large, table, &report, &compared)) {
    const char *zero = "the gradient is zero everywhere, but the loss depends on it";
    if (!alone || f.arity > 2 || report.find(zero) != report.npos) return true;
    fmt::print("{}: the check fails for another reason than the zero\n{}", f.name, report);
    return false;
  }
  fmt::print("{}: the check passes with the derivative for argument {} changed to {}\n{}", f.name, argument + 1, wrong,
             report);
  return false;
}

int checkRow(const FnRow &f, bool large, int argument) {
  const int fewest = large ? 3 : 16; // samples: a direction through each parameter and one over all

  std::string report;
  int failures = 0, compared = 0;
  if (!checkPasses(lossOf(f), large, grad::standardDerivative, &report, &compared) || compared < fewest) {
    fmt::print("{}: the check fails or compares little with the right derivatives\n{}", f.name, report);
    ++failures;
  }
  failures += !isNoticed(f, large, false, argument, fmt::format("-({})", f.derivative[argument]));
  failures += !isNoticed(f, large, false, argument, "0") + !isNoticed(f, large, true, argument, "0");
  return failures;
}

} // namespace

int main() {
  int flips = 0, failures = 0;
  for (const FnRow &f : allFunctions())
    for (int k = 0; k < f.arity; ++k) {
      if (f.derivative[k].empty() || f.derivative[k] == "0" || f.fn == Fn::Given) continue; // given: what the user says
      ++flips;
      failures += checkRow(f, /*large=*/false, k) + checkRow(f, /*large=*/true, k);
    }
  fmt::print("{} rows flipped and made zero, {} failures\n", flips, failures);
  return failures == 0 && flips > 20 ? 0 : 1;
}
