// The numeric plan: which index runs along the lanes, and in what order reductions add. It looks at the graph
// alone.
#include "compiler/schedule/plan_parts.h"

#include <algorithm>

namespace netc::schedule {

using graph::Combine;
using graph::Graph;

namespace {

/// How well position p would run along the lanes: contiguous accesses count for it, gathers against it.
int laneScore(const Nest &nest, int p) {
  const Position &pos = nest.positions[p];
  if (pos.name.empty() || pos.extent < 2 || nest.guarded(p)) return 0;
  if (pos.reduction && (nest.formula->op == Combine::ArgMax || nest.formula->op == Combine::ArgMin)) return 0;
  int score = 0;
  const auto judge = [&](const Affine &a, int weight) {
    const std::int64_t stride = a.coefficient(p);
    if (stride != 0) score += stride == 1 ? 2 * weight : -weight;
  };
  for (const Access &r : nest.reads)
    if (r.tensor >= 0) judge(r.address, 1);
  if (pos.reduction)
    --score; // costs a combination of the lanes
  else if (nest.out.coefficient(p) == 0)
    return 0;
  else
    judge(nest.out, 2);
  return score;
}

} // namespace

int chooseVector(const Nest &nest) {
  if (nest.batch >= 0 && !nest.guarded(nest.batch)) {
    const bool ordinal = nest.formula->op == Combine::ArgMax || nest.formula->op == Combine::ArgMin;
    if (!(ordinal && nest.positions[nest.batch].reduction)) return nest.batch;
  }
  int best = -1, bestScore = 0;
  std::int64_t bestExtent = 0;
  for (std::size_t p = 0; p < nest.positions.size(); ++p) {
    if (nest.positions[p].batch) continue;
    const int score = laneScore(nest, static_cast<int>(p));
    const std::int64_t extent = std::min<std::int64_t>(nest.positions[p].extent, 16);
    if (score > 0 && (score > bestScore || (score == bestScore && extent > bestExtent)))
      best = static_cast<int>(p), bestScore = score, bestExtent = extent;
  }
  return best;
}

std::vector<Numeric> planNumeric(const Graph &g) {
  std::vector<Numeric> plan;
  for (const graph::Formula &f : g.formulas) {
    Numeric n;
    n.formula = g.tensors[f.target].name;
    // The memory layout of Locals follows from the graph too: batch tensors are blocked.
    const Nest nest = makeNest(g, batchLayouts(g), f, 0);
    const int vector = chooseVector(nest);
    for (const Position &p : nest.positions) {
      if (!p.reduction) continue;
      if (p.batch)
        n.order.insert(n.order.begin(), {p.name}); // block after block of samples
      else
        n.order.push_back({p.name});
    }
    if (n.order.empty()) continue;
    if (vector >= 0 && nest.positions[vector].reduction) n.lanes = nest.positions[vector].name;
    plan.push_back(std::move(n));
  }
  return plan;
}

std::map<std::string, Placement> batchLayouts(const Graph &g) {
  std::map<std::string, Placement> memory;
  for (const graph::Tensor &t : g.tensors) {
    if (t.kind != graph::TensorKind::Local) continue;
    Placement &p = memory[t.name];
    for (std::size_t d = 0; d < t.shape.size(); ++d)
      if (t.shape[d].batch) p.blocked = {static_cast<int>(d)};
  }
  for (std::size_t slot = 0; slot < g.results.size(); ++slot) {
    Placement &p = memory[g.tensors[g.results[slot].tensor].name];
    p = {Placement::Kind::Output, {}, static_cast<std::int64_t>(slot), {}};
  }
  for (const graph::Next &n : g.next)
    memory[g.tensors[n.value].name] = {Placement::Kind::InPlace, {}, 0, g.tensors[n.state].name};
  return memory;
}

} // namespace netc::schedule
