// What depends on what, as far as gradients are concerned.
#pragma once

#include "compiler/graph/graph.h"

#include <functional>
#include <span>
#include <vector>

namespace netc::grad {

/// The tensors that a formula reads, each once, in order of first occurrence.
std::vector<int> readTensors(const graph::Formula &);

/// No gradient flows through this formula: stop_gradient, an argmax, an integer result.
bool stopsGradient(const graph::Graph &, const graph::Formula &);

/// By tensor: it depends on a Gradient placeholder.
std::vector<char> dependsOnGradient(const graph::Graph &);

/// By tensor: it depends on one of the `starts` (itself included), and a loss of the graph depends on it,
/// both through the given formulas (in order) and without passing one that stops gradients.
std::vector<char> gradientPath(const graph::Graph &, std::span<const graph::Formula> formulas,
                               const std::function<bool(int tensor)> &starts);

} // namespace netc::grad
