// What one formula contributes to the gradients of the tensors it reads, by its combining operation.
#pragma once

#include "compiler/grad/differentiate.h"

#include <functional>
#include <vector>

namespace netc::grad {

/// A gradient formula without target: it accumulates into the gradient of `tensor`.
struct Contribution {
  int tensor;
  graph::Formula formula;
};

struct FormulaProblem {
  graph::Graph &graph;            // receives the tensors of the siblings
  const graph::Formula &formula;  // forward; a copy, not one of graph.formulas
  int resultGradient;             // d(loss)/d(formula's result)
  std::function<bool(int)> wants; // which tensors need a gradient
  const DerivativeTable &table;
  Diagnostics &diagnostics;
};

/// One contribution a clause and distinct read. `siblings` receives the forward formulas that these need (the
/// ordinals of max and min, the partial products of prod); they stand right after the formula.
std::vector<Contribution> contributions(const FormulaProblem &, std::vector<graph::Formula> &siblings);

} // namespace netc::grad
