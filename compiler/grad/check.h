// Gradients against finite differences: `netc check`.
//
// The loss is evaluated in float64 on a batch of 2. Inputs are random in their natural range (u8 0..255,
// class targets any class, reals standard normal), parameters as their initializers say; a constant one is
// moved by 0.1 * normal, so that no derivative hides behind a zero. Every random number comes from the seed
// and a tensor's name.
//
// Compared are up to `entries` random entries of each parameter, and `directions` random directions over all
// parameters together, with central differences of fourth order (at -2, -1, 1 and 2 steps). With g the
// gradient and d the difference, the error is |g - d| / max(|g|, |d|, 1e-3 max|g| of that tensor). The step
// is the largest of 1e-3 to 1e-5 (times max(1, |w|)) for which no evaluation decides a comparison or a
// maximum differently from the others; a sample without such a step is drawn again, and when that happens to
// more than half of them, the check fails. So it does when a gradient is zero everywhere although the loss
// depends on the parameter.
#pragma once

#include "compiler/grad/differentiate.h"

#include <string>
#include <vector>

namespace netc::grad {

struct CheckOptions {
  std::uint64_t seed = 0;
  double tolerance = 1e-6;
  int entries = 32;
  int directions = 4;
  DerivativeTable table = standardDerivative;
};

/// The samples of one parameter, or all the directions (then `name` is "directions").
struct SampleReport {
  std::string name;
  int compared = 0, redrawn = 0;
  double worst = 0;                    // the largest error
  std::string where;                   // the sample with the largest error: "[3, 0, 1, 1]"
  double gradient = 0, difference = 0; // there
  std::vector<std::string> failures;   // what is wrong, one sentence each; empty: passed
};

struct CheckReport {
  std::vector<SampleReport> samples; // the parameters in order, then the directions
  bool passed() const;
  int compared() const;
  /// A line a parameter, then the failures; ends with a newline.
  std::string str() const;
};

/// `graph` is a verified entry with a loss, before differentiation (its optimizer, if any, is left out);
/// parameters that no placeholder asks for are checked too. Errors of differentiation go to diagnostics, and
/// the report is then empty.
CheckReport checkGradients(const graph::Graph &graph, const CheckOptions &, Diagnostics &);

} // namespace netc::grad
