// Constant folding through the values of the function table.
#pragma once

#include "compiler/graph/graph.h"

#include <functional>

namespace netc::passes {

/// The value of call n of `b` when all its arguments are constants, as a new constant node; n otherwise.
/// Computed in double: a constant is rounded once, where it is emitted.
int foldCall(graph::Body &b, int n);

/// Copies the body of `from` into `to`, folding; returns the new root.
int foldConstants(graph::Body &to, const graph::Body &from);

} // namespace netc::passes
