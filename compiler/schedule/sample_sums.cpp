// A sum over the samples and what each of them has, w.grad[c] = sum(n, i, j) f, adds up each sample first:
// w.grad.samples[n, c] = sum(i, j) f, then w.grad[c] = sum(n) w.grad.samples[n, c]. The first runs sample by sample,
// in one tile with what makes f, while that is in the cache, and threads share it; the second is short.
#include "compiler/schedule/plan_parts.h"

#include <algorithm>

namespace netc::schedule {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Tensor;

namespace {

constexpr std::int64_t fewestPoints = 16; // of a sample, for each of its sums

/// The position of the batch when the formula is such a sum; -1: it is not.
int batchOf(const Graph &g, const Formula &f) {
  if (f.op != graph::Combine::Sum || f.clauses.size() != 1 || g.tensors[f.target].dtype != DType::F32) return -1;
  const Clause &c = f.clauses[0];
  if (isContraction(f, c) || !plainOut(g, f, c)) return -1;
  int batch = -1;
  std::int64_t points = 1;
  for (int p : c.reduction())
    if (c.domain[p].extent.batch)
      batch = p;
    else
      points *= c.domain[p].extent.size;
  const bool guarded = std::any_of(c.guards.begin(), c.guards.end(), [&](const Affine &a) { return a.uses(batch); });
  return points < fewestPoints || guarded ? -1 : batch;
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
    r.out.push_back(Affine::var(static_cast<int>(r.domain.size())));
    map.push_back(r.out.back());
    r.domain.push_back(c.domain[a.terms()[0].first]);
  }
  r.body.root = r.body.read(samples, DType::F32, std::move(map));
  return r;
}

} // namespace

void sumSamples(Graph &g) {
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const int batch = batchOf(g, g.formulas[i]);
    if (batch < 0) continue;
    const int samples = addSamples(g, g.formulas[i], batch);
    g.formulas[i].clauses[0] = overSamples(g.formulas[i].clauses[0], batch, samples);
    std::rotate(g.formulas.begin() + static_cast<std::ptrdiff_t>(i), g.formulas.end() - 1, g.formulas.end());
    ++i;
  }
}

} // namespace netc::schedule
