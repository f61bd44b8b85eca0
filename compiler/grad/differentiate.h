// The reverse pass: one rule for every formula. For each read r of a formula T[f(d)] op= body(d), over the same
// domain, accumulate dT[f(d)] * d(body)/d(r) into the read's own place. Scalar derivatives come from the one table
// (support/functions.h). It knows no layer, no loss and no learning rate.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

namespace netc::grad {

/// Defines every Gradient placeholder of `graph` as the gradient of the sum of its Loss results, adding only the
/// formulas that these need, before their first reader, and turns the placeholders into Locals. A placeholder that
/// the loss does not depend on becomes zero. max/min/argmax go to the first extremum through an argmax sibling;
/// prod is the product of the others. A missing derivative is an error at the formula's location.
/// Requires a verified graph. Returns false after an error.
bool differentiate(graph::Graph &graph, Diagnostics &);

} // namespace netc::grad
