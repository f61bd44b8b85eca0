// The graph that is explained: forward pass and gradients, without the optimizer.
#pragma once

#include "compiler/explain/derivation.h"

namespace netc::explain {

/// Fills in d.graph and d.gradientOf. Gradients of parameters become Output results.
bool differentiated(const graph::Graph &entry, const graph::Graph *outputs, Derivation &d, Diagnostics &);

bool readsTensor(const graph::Formula &, int tensor);

} // namespace netc::explain
