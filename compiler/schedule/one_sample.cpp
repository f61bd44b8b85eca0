#include "compiler/schedule/one_sample.h"

#include "compiler/loop/walk.h"
#include "compiler/schedule/plan_parts.h"
#include "compiler/support/in_parallel.h"

#include <algorithm>

namespace netc::schedule {

using graph::Graph;

namespace {

/// Every access to a batch tensor is at the sample that the result belongs to.
bool samplesStandAlone(const Graph &g) {
  const auto ofSample = [&](const graph::Clause &c, int tensor, const std::vector<Affine> &map) {
    const std::vector<graph::Extent> &shape = g.tensors[tensor].shape;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      int v = -1;
      if (shape[d].batch && (d > 0 || !map[d].isVar(&v) || !c.domain[v].extent.batch)) return false;
    }
    return true;
  };
  for (const graph::Formula &f : g.formulas) {
    const std::vector<graph::Extent> &shape = g.tensors[f.target].shape;
    const bool each = !shape.empty() && shape[0].batch;
    for (const graph::Clause &c : f.clauses) {
      if (!each && std::any_of(c.domain.begin(), c.domain.end(), [](const graph::Index &i) { return i.extent.batch; })) return false;
      if (!ofSample(c, f.target, c.out)) return false;
      for (const graph::Node &n : c.body.nodes)
        if (n.kind == graph::Node::Kind::Read && !ofSample(c, n.id, n.map)) return false;
    }
  }
  for (const RuntimeScalar &s : g.scalars)
    if (!isConstant(s.program)) return false;
  return std::all_of(g.results.begin(), g.results.end(), [&](const graph::Result &r) {
    const std::vector<graph::Extent> &shape = g.tensors[r.tensor].shape;
    return !shape.empty() && shape[0].batch;
  });
}

} // namespace

void prepare(graph::Module &m) {
  addOneSample(m);
  inParallel(m.entries.size(), [&](std::size_t i) { prepare(m.entries[i], m.winograd4); });
  planStore(m);
}

void addOneSample(graph::Module &m) {
  const Graph *predict = m.entry("predict");
  if (!predict || m.batch <= fewSamples || !samplesStandAlone(*predict)) return;
  Graph one = *predict;
  one.name = oneSampleEntry;
  one.batch = 1;
  const auto alone = [](graph::Extent &e) {
    if (e.batch) e.size = 1;
  };
  for (graph::Tensor &t : one.tensors)
    std::for_each(t.shape.begin(), t.shape.end(), alone);
  for (graph::Formula &f : one.formulas)
    for (graph::Clause &c : f.clauses)
      for (graph::Index &i : c.domain)
        alone(i.extent);
  m.entries.push_back(std::move(one));
}

namespace {

Affine atCountOne(const Affine &a) {
  return a.substitute(loop::Count, 1).substitute(loop::Blocks, 1).substitute(loop::FullBlocks, 0);
}

} // namespace

void settleOneSample(loop::Entry &entry, const Graph &g, std::int64_t batch) {
  for (loop::Kernel &k : entry.kernels) {
    k.body = loop::rewritten(k.body, {[](const Affine &a) { return atCountOne(a); }});
    k.parallelExtent = atCountOne(k.parallelExtent);
  }
  for (loop::Buffer &b : entry.buffers) {
    if (b.space != loop::Space::Input && b.space != loop::Space::Output) continue;
    const std::vector<graph::Extent> &shape = g.tensors[g.find(b.name)].shape;
    if (!shape.empty() && shape[0].batch) b.size *= batch;
  }
  for (loop::Result &r : entry.results)
    if (r.batch) r.shape[0] = batch;
}

} // namespace netc::schedule
