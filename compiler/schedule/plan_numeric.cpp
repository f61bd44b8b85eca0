// The numeric plan: which index runs along the lanes, and in what order reductions add. It looks at the graph
// alone.
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>
#include <cmath>

namespace netc::schedule {

using graph::Combine;
using graph::Graph;

namespace {

/// The numeric plan is one for all clauses of a formula, each of which would choose a reduced index by its own accesses.
bool mayReduce(const Nest &nest) {
  return !givesOrdinals(nest.formula->op) && nest.formula->clauses.size() == 1;
}

/// How well position p would run along the lanes: contiguous accesses count for it, gathers against it.
int laneScore(const Nest &nest, int p) {
  const Position &pos = nest.positions[p];
  if (pos.name.empty() || pos.extent < 2 || nest.guarded(p)) return 0;
  if (pos.reduction && !mayReduce(nest)) return 0;
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

/// What a point costs with position p along the lanes (-1: one at a time), where some memory holds sample
/// after sample: accesses that are contiguous cost one.
double laneCost(const Nest &nest, int p, const std::function<double(const Access &)> &gather) {
  double reduced = 1;
  for (const Position &q : nest.positions)
    if (q.reduction) reduced *= static_cast<double>(q.extent);
  const auto access = [&](const Affine &a, double apart) {
    const std::int64_t stride = p < 0 ? 0 : a.coefficient(p);
    return p < 0 || stride == 1 ? 1 : stride == 0 ? 0.5 : apart;
  };
  double cost = 0;
  for (const Access &r : nest.reads)
    if (r.tensor >= 0) cost += access(r.address, gather(r)) * reduced;
  if (p < 0) return cost + 0.5;
  const auto extent = static_cast<double>(nest.positions[p].extent);
  const double lanes = extent / std::ceil(extent / loop::lanes);
  constexpr double combination = 10;
  return nest.positions[p].reduction ? cost / lanes + combination : (cost + access(nest.out, gatherCost)) / lanes;
}

} // namespace

int cheapestVector(const Nest &nest, const std::function<double(const Access &)> &gather) {
  int best = -1;
  double bestCost = laneCost(nest, -1, gather);
  for (std::size_t i = 0; i < nest.positions.size(); ++i) {
    const int p = static_cast<int>(i);
    const Position &pos = nest.positions[i];
    if (pos.name.empty() || (pos.extent < 2 && !pos.batch) || nest.guarded(p)) continue;
    if (pos.reduction ? !mayReduce(nest) : nest.out.coefficient(p) == 0) continue;
    if (const double cost = laneCost(nest, p, gather); cost < bestCost) best = p, bestCost = cost;
  }
  return best;
}

int chooseVector(const Nest &nest) {
  const bool blocks = nest.count > static_cast<int>(nest.positions.size());
  const bool sumsWeights = nest.batch < 0 && blocks && nest.formula->op != Combine::Assign; // whose taps would fill few lanes
  if (nest.rows || sumsWeights) return cheapestVector(nest, [](const Access &) { return gatherCost; });
  if (nest.batch >= 0 && !nest.guarded(nest.batch) && !(givesOrdinals(nest.formula->op) && nest.positions[nest.batch].reduction))
    return nest.batch;
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
  const std::map<std::string, Placement> layouts = planLayouts(g);
  for (const graph::Formula &f : g.formulas) {
    Numeric n;
    n.formula = g.tensors[f.target].name;
    const Nest nest = makeNest(g, layouts, f, 0); // layouts follow from the graph, too
    const int vector = chooseVector(nest);
    const auto reductions = std::count_if(nest.positions.begin(), nest.positions.end(),
                                          [](const Position &p) { return p.reduction; });
    std::vector<Step> last; // the 16 of a block of channels, which lie side by side
    for (std::size_t i = 0; i < nest.positions.size(); ++i) {
      const Position &p = nest.positions[i];
      if (!p.reduction) continue;
      const bool blocks = p.block >= 0 && static_cast<int>(i) != vector && p.extent >= loop::lanes;
      if (p.batch)
        n.order.insert(n.order.begin(), {p.name}); // sample after sample, or their blocks
      else if (blocks && reductions > 1) {
        if (p.extent > loop::lanes) n.order.push_back({p.name, loop::lanes});
        last.push_back({p.name});
      } else
        n.order.push_back({p.name});
    }
    n.order.insert(n.order.end(), last.begin(), last.end());
    if (n.order.empty()) continue;
    if (vector >= 0 && nest.positions[vector].reduction) n.lanes = nest.positions[vector].name;
    plan.push_back(std::move(n));
  }
  return plan;
}

} // namespace netc::schedule
