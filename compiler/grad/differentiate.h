// The reverse pass: one rule for every formula. For each read r of a formula T[f(d)] op= body(d), over the
// same domain, accumulate dT[f(d)] * d(body)/d(r) into the read's own place. Scalar derivatives come from the
// one table (support/functions.h). It knows no layer, no loss and no learning rate.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

#include <functional>

namespace netc::grad {

/// d(function)/d(argument) as text over a, b, c and y (FnRow::derivative). Tests give a table with one row
/// changed.
using DerivativeTable = std::function<std::string_view(Fn, int argument)>;
std::string_view standardDerivative(Fn, int argument);

/// The origin of a formula whose result counts as a constant; `differentiate` renames it to `stoppedOrigin`,
/// after which it is a formula like any other.
inline constexpr std::string_view stopOrigin = "stop_gradient";
inline constexpr std::string_view stoppedOrigin = "stopped";

/// Defines every Gradient placeholder of `graph` as the gradient of the sum of its Loss results, adding only
/// the formulas that these need, before their first reader, and turns the placeholders into Locals. A
/// placeholder that the loss does not depend on becomes zero. max/min go to the first extremum through an
/// argmax sibling; prod is the product of the others. Elements that come from `otherwise` have no gradient. A
/// missing derivative is an error at the formula's location. Requires a verified graph. Returns false after
/// an error; the graph is then not to be used.
bool differentiate(graph::Graph &graph, Diagnostics &, const DerivativeTable & = standardDerivative);

/// Adds a Gradient placeholder, NAME.grad, for each parameter that none asks for.
void askForGradients(graph::Graph &);

/// Replaces every `given(value, x, derivative)` by its value. `differentiate` does so at its end; a graph that is never
/// differentiated has no use for the derivatives either.
void dropGivenDerivatives(graph::Graph &graph);

} // namespace netc::grad
