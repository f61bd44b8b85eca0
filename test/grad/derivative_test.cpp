// Flips the sign of each derivative row of the function table in turn: the gradient check must notice every
// one.
#include "compiler/grad/check.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verifier.h"

#include <fmt/format.h>

#include <string>

using namespace netc;

namespace {

/// A loss that uses the function with all its arguments depending on parameters. The values suit log, sqrt
/// and pow.
std::string lossOf(const FnRow &f) {
  const std::string arguments[] = {"w[i]", "u[i]", "w[i] * u[i]"};
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
  sum l: f32[] {{ [] += y[i] * (w[i] + u[i]) over i < 6 }}
  loss loss = l
}}
)",
                     call);
}

bool checkPasses(const std::string &text, const grad::DerivativeTable &table, std::string *report) {
  Diagnostics diagnostics;
  graph::Module m = graph::parse(text, "loss.graph", diagnostics);
  if (!diagnostics.hasErrors()) graph::verify(m, diagnostics);
  grad::CheckOptions options;
  options.table = table;
  grad::CheckReport found;
  if (!diagnostics.hasErrors()) found = grad::checkGradients(m.entries[0], options, diagnostics);
  *report = diagnostics.str() + found.str();
  if (!diagnostics.hasErrors() && found.compared() < 16) *report += "too few samples\n";
  return !diagnostics.hasErrors() && found.compared() >= 16 && found.passed();
}

/// The ways a row enters other tests' losses: y * (w + u) uses add and mul themselves, so these flip both
/// ways.
int checkRow(const FnRow &f, int argument) {
  const std::string flipped = fmt::format("-({})", f.derivative[argument]);
  auto table = [&](Fn fn, int k) {
    return fn == f.fn && k == argument ? std::string_view(flipped) : grad::standardDerivative(fn, k);
  };
  std::string report;
  int failures = 0;
  if (!checkPasses(lossOf(f), grad::standardDerivative, &report)) {
    fmt::print("{}: the check fails with the right derivatives\n{}", f.name, report);
    ++failures;
  }
  if (checkPasses(lossOf(f), table, &report)) {
    fmt::print("{}: the check passes with the derivative for argument {} flipped to {}\n{}", f.name,
               argument + 1, flipped, report);
    ++failures;
  }
  return failures;
}

} // namespace

int main() {
  int flips = 0, failures = 0;
  for (const FnRow &f : allFunctions())
    for (int k = 0; k < f.arity; ++k) {
      if (f.derivative[k].empty() || f.derivative[k] == "0") continue;
      ++flips;
      failures += checkRow(f, k);
    }
  fmt::print("{} rows flipped, {} failures\n", flips, failures);
  return failures == 0 && flips > 20 ? 0 : 1;
}
