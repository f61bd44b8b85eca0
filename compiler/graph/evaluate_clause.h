// One clause of one formula, evaluated over its whole domain. The body becomes a list of operations on short rows of
// points: all points that differ in the innermost index only, cut at `rowLength`.
#pragma once

#include "compiler/graph/evaluator.h"

#include <cstdint>

namespace netc::graph {

/// What a formula's clauses combine into.
struct Accumulation {
  std::vector<double> value;         // the result; ordinals for argmax and argmin
  std::vector<double> best;          // argmax, argmin: the extremum itself
  std::vector<char> hit;             // written by at least one point
  std::vector<std::int64_t> winner;  // max, min and their arg forms, when decisions are recorded: the point that won
};

struct ClauseContext {
  const Graph &graph;
  const Formula &formula;
  const Values &values;
  const Evaluation &evaluation;
  const std::vector<double> &scalars; // evaluated (and rounded in Float32)
  Decisions *decisions;               // may be null

  /// Null: the tensor has no value.
  const std::vector<double> *valuesOf(int tensor) const;
};

/// Into how many parts, one a thread, to divide this many operations.
int usefulParts(double work);

/// One of several parts of a domain, which hit different elements and so may be evaluated at the same time.
struct Part {
  int index = 0, count = 1;
  std::int64_t begin(std::int64_t extent) const { return extent * index / count; }
  std::int64_t end(std::int64_t extent) const { return extent * (index + 1) / count; }
  /// How evenly the parts of a loop share its work: 1, all the same.
  double balance(std::int64_t extent) const {
    return static_cast<double>(extent) / static_cast<double>((extent + count - 1) / count * count);
  }
};

void evaluateClause(const ClauseContext &, const Clause &, const Part &, Accumulation &);

/// The extents in this call: `count` for batch.
std::vector<std::int64_t> extentsOf(const Tensor &, std::int64_t count);

void record(Decisions &, std::uint64_t decision);

} // namespace netc::graph
