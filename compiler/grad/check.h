// Gradients against finite differences: `netc check`.
//
// The loss is evaluated in float64 on a batch of 3. Inputs are random in their natural range (u8 0..255,
// class targets any class, reals standard normal), parameters as their initializers say; a constant one is
// moved by 0.1 * normal, so that no derivative hides behind a zero. Every random number comes from the seed
// and a tensor's name.
//
// Compared are up to `entries` random entries of each parameter, and `directions` random directions over all
// parameters together, with central differences of fourth order; differences.h says with which step. A sample
// whose every step changes a decision (a comparison, a maximum) is drawn again, and when that happens to more than
// half of them, the check fails. With g the gradient and d the difference, the error is |g - d| / size, where size
// is the largest of |g|, |d|, a thousandth of the largest gradient of that tensor, and what makes the rounding of
// the loss (16 eps |loss| / step) an error of exactly the tolerance.
//
// A gradient that is zero everywhere fails if the loss depends on the parameter. Whether it does is found out by
// moving the whole parameter far away at random: where the loss stays the same (to 1e-11 of its size) at all of
// three such values, as for a bias right before a batch norm, the parameter has no influence, and a gradient that
// is as small is right.
//
// What stands under stop_gradient is held fixed. A note says so where that makes a difference.
//
// In large models fewer entries are compared, down to none, and fewer directions, down to one, so that the work
// stays below `work`.
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
  double work = 4e9; // operations on points of formulas, for the directions and as much again for the entries
  DerivativeTable table = standardDerivative;
};

/// The samples of one parameter, or all the directions (then `name` is "directions").
struct SampleReport {
  std::string name;
  int compared = 0, redrawn = 0;
  bool without = false;                // the loss does not depend on it
  double worst = 0;                    // the largest error
  std::string where;                   // the sample with the largest error: "[3, 0, 1, 1]"
  double gradient = 0, difference = 0; // there
  std::string note;                    // what the reader should know; may be empty
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
