// What there is to tell: the forward formulas and, for each parameter, the steps from the loss to its gradient.
#pragma once

#include "compiler/explain/term.h"
#include "compiler/support/diagnostics.h"

#include <optional>

namespace netc::explain {

/// tensor[out] = value (or +=: all points that meet in an element add up).
struct Statement {
  int tensor = -1;
  std::vector<Affine> out;
  TermPtr value;
  bool accumulates = false;
  std::optional<double> otherwise;
  enum class Shape { IfNeeded, Declared, Absent } shape = Shape::IfNeeded; // of several clauses the first declares it
};

/// One formula of the backward pass: as the chain rule gives it, and as it is kept. A step without results goes into
/// the next ones.
struct Step {
  std::vector<Statement> chainRule, result;
};

struct Section {
  int parameter; // -1: what no parameter needed
  int gradient;
  std::vector<Step> steps; // the last one gives the gradient
};

struct Derivation {
  graph::Graph graph; // differentiated: names, shapes, kinds
  Indices indices;
  std::vector<Statement> forward;
  std::vector<Section> sections;
  std::map<int, int> gradientOf; // gradient tensor -> the tensor it belongs to
};

/// See explain.h for the arguments. Returns false after an error.
bool derive(const graph::Graph &entry, const graph::Graph *outputs, Derivation &, Diagnostics &);

} // namespace netc::explain
