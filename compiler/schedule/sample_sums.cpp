// A sum over the samples and what each of them has, w.grad[c] = sum(n, i, j) f, adds up each sample first:
// w.grad.samples[n, c] = sum(i, j) f, then w.grad[c] = sum(n) w.grad.samples[n, c]. The first runs sample by sample,
// in one tile with what makes f, while that is in the cache, and threads share it; the second is short. The gradient of
// a weight is such a sum, too; where samples lie side by side and each has many points for every weight, the sums of
// the samples cost less than passing over all samples once for every tile of weights.
#include "compiler/schedule/plan_parts.h"

#include <algorithm>

namespace netc::schedule {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Tensor;

namespace {

// Points of a sample for each of its sums that are worth storing it: of any values, and of multiply-adds, which keep
// their operands in registers.
constexpr std::int64_t fewestPoints = 16, fewestProducts = 96;

/// Each dimension of the result is an index of its own, or has one element.
bool onlyIndices(const Graph &g, const Formula &f) {
  const Clause &c = f.clauses[0];
  std::vector<int> seen;
  for (std::size_t d = 0; d < c.out.size(); ++d) {
    const graph::Extent &extent = g.tensors[f.target].shape[d];
    if (int v; c.out[d].isVar(&v) && !std::count(seen.begin(), seen.end(), v) && c.domain[v].extent == extent)
      seen.push_back(v);
    else if (!c.out[d].isConstant() || extent.size != 1)
      return false;
  }
  return true;
}

/// The position of the batch when the formula is such a sum; -1: it is not.
int batchOf(const Graph &g, const std::map<std::string, Placement> &layouts, const Formula &f) {
  if (f.op != graph::Combine::Sum || f.clauses.size() != 1 || g.tensors[f.target].dtype != DType::F32) return -1;
  const Clause &c = f.clauses[0];
  if (!onlyIndices(g, f)) return -1;
  const bool contraction = isContraction(f, c);
  if (contraction && !std::all_of(c.body.nodes.begin(), c.body.nodes.end(), [&](const graph::Node &n) {
        return n.kind != graph::Node::Kind::Read || batchBlocked(g.tensors[n.id], layout(g, layouts, n.id));
      }))
    return -1;
  int batch = -1;
  std::int64_t points = 1;
  for (int p : c.reduction())
    if (c.domain[p].extent.batch)
      batch = p;
    else
      points *= c.domain[p].extent.size;
  const bool guarded = std::any_of(c.guards.begin(), c.guards.end(), [&](const Affine &a) { return a.uses(batch); });
  return points < (contraction ? fewestProducts : fewestPoints) || guarded ? -1 : batch;
}

/// The sums of each sample, as a formula of its own; its tensor.
int addSamples(Graph &g, const Formula &whole, int batch) {
  const Clause &c = whole.clauses[0];
  Tensor t = g.tensors[whole.target];
  t.name += ".samples";
  t.shape.insert(t.shape.begin(), c.domain[batch].extent);
  Formula f = whole;
  f.clauses[0].out.insert(f.clauses[0].out.begin(), Affine::var(batch));
  f.target = g.addTensor(std::move(t));
  g.formulas.push_back(std::move(f));
  return g.formulas.back().target;
}

/// sum(n) samples[n, ...], over the indices that `c` has for them.
Clause overSamples(const Clause &c, int batch, int samples) {
  Clause r;
  std::vector<Affine> map{Affine::var(0)};
  r.domain.push_back(c.domain[batch]);
  for (const Affine &a : c.out) {
    r.out.push_back(a.isConstant() ? a : Affine::var(static_cast<int>(r.domain.size())));
    map.push_back(r.out.back());
    if (!a.isConstant()) r.domain.push_back(c.domain[a.terms()[0].first]);
  }
  r.body.root = r.body.read(samples, DType::F32, std::move(map));
  return r;
}

} // namespace

void sumSamples(Graph &g) {
  const std::map<std::string, Placement> layouts = planLayouts(g);
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const int batch = batchOf(g, layouts, g.formulas[i]);
    if (batch < 0) continue;
    const int samples = addSamples(g, g.formulas[i], batch);
    g.formulas[i].clauses[0] = overSamples(g.formulas[i].clauses[0], batch, samples);
    std::rotate(g.formulas.begin() + static_cast<std::ptrdiff_t>(i), g.formulas.end() - 1, g.formulas.end());
    ++i;
  }
}

} // namespace netc::schedule
