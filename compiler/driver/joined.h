// Two entries that compute parts of the same thing, as one.
#pragma once

#include "compiler/graph/graph.h"

#include <optional>

namespace netc::driver {

/// `base` with those formulas, outputs and other results of `more` that it lacks. Tensors are the same if their names
/// are; empty if a name stands for two different formulas, as when one entry is of the training and one is not.
std::optional<graph::Graph> joined(graph::Graph base, const graph::Graph &more);

} // namespace netc::driver
