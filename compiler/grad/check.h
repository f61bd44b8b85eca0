// Gradients against finite differences: `netc check`.
//
// The loss is evaluated in float64 on a batch of 2. Of two samples, batch norm over samples alone (after a dense layer) makes
// +1 and -1 whatever they are, and next to nothing of every gradient before it: where a gradient is that small, 3 are taken. Inputs are
// random in their natural range (u8 0..255, class targets any class, reals standard normal), parameters as their initializers say; a
// constant one is moved by 0.1 * normal, so that no derivative hides behind a zero. Every random number comes from the seed and a tensor's
// name.
//
// Compared are `entries` random entries of each parameter, and `directions` random directions over all parameters
// together, with central differences of fourth order; differences.h says with which step. A sample whose every step
// changes a decision (a comparison, a maximum) is drawn again, and when that happens to more than half of them, the
// check fails. With g the gradient and d the difference, the error is |g - d| / size, where size is the largest of
// |g|, |d|, a thousandth of the largest gradient of that tensor, and what makes the rounding of the loss
// (16 eps |loss| / step) an error of exactly the tolerance.
//
// A large model has no time for all entries: it is evaluated four times for each. The directions over all are always
// compared; so that the rest of the work stays below `work` of each kind, only some are compared by themselves, but besides them up to
// `directions` directions through each parameter: a random share of each entry's gradient and some noise. These are moved
// together, neighbours in the model at a time, each so far that the loss should change by the same. If the sum of the changes
// is right to the tolerance of one, then each is (but for errors that cancel, against which the shares are random). If it
// is not, or some decision changes, each half of the parameters is moved, and so on down to a single one. In the same way two
// entries of each parameter are compared of which fewer were compared by themselves.
//
// A gradient that is zero everywhere fails if the loss depends on the parameter. Whether it does is found out by
// moving the whole parameter far away at random: where the loss stays the same (to 1e-11 of its size) at all of
// three such values, as for a bias right before a batch norm, the parameter has no influence, and a gradient that
// is as small is right.
//
// What stands under stop_gradient is held fixed. A note says so where that makes a difference.
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
  double work = 1.2e10; // operations on points of formulas, for entries and for directions through each parameter
  DerivativeTable table = standardDerivative;
};

/// The samples of one parameter, or the directions over all of them (then `name` is "directions").
struct SampleReport {
  std::string name;
  int compared = 0, redrawn = 0;
  int entries = 0, directions = 0;     // of a parameter, among those compared
  int without = 0;                     // random values at which the loss was the same: it does not depend on it
  double worst = 0;                    // the largest error
  std::string where;                   // the sample with the largest error: "[3, 0, 1, 1]"
  double gradient = 0, difference = 0; // there
  std::string note;                    // what the reader should know; may be empty
  std::vector<std::string> failures;   // what is wrong, one sentence each; empty: passed
};

struct CheckReport {
  std::vector<SampleReport> samples; // the parameters in order, then the directions
  int batch = 0;                     // samples of a batch: 2 or 3
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
