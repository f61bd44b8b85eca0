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
};

void evaluateClause(const ClauseContext &, const Clause &, Accumulation &);

/// The extents in this call: `count` for batch.
std::vector<std::int64_t> extentsOf(const Tensor &, std::int64_t count);

void record(Decisions &, std::uint64_t decision);

} // namespace netc::graph
