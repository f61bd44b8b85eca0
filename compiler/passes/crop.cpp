// Requires: scatterToGather has run, so that the gradient of a padded tensor is one sum over the padded size.
// A border that nothing reads is not computed: the gradient of padding reads the inside alone.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"
#include "compiler/support/division.h"

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace netc::passes {

namespace {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;

/// What all reads of a tensor reach of one dimension.
struct Reach {
  std::int64_t min = INT64_MAX, max = INT64_MIN;
  void include(Interval i) {
    min = std::min(min, i.min);
    max = std::max(max, i.max);
  }
};

/// Dimension d of the result as factor * index + offset, by an index that runs over nothing else.
struct Row {
  int index = -1;
  std::int64_t factor = 0, offset = 0;
  /// The values of the index that hit what is read.
  std::int64_t first = 0, last = -1;
};

Row rowOver(const Clause &c, std::size_t d, const Reach &reach) {
  Row r;
  if (c.out[d].terms().size() != 1 || c.out[d].terms()[0].second < 1) return r;
  std::tie(r.index, r.factor) = c.out[d].terms()[0];
  for (std::size_t other = 0; other < c.out.size(); ++other)
    if (other != d && c.out[other].uses(r.index)) return {};
  const graph::Extent &extent = c.domain[r.index].extent;
  if (extent.batch) return {};
  r.offset = c.out[d].constant();
  r.first = std::max<std::int64_t>(ceilDivide(reach.min - r.offset, r.factor), 0);
  r.last = std::min(floorDivide(reach.max - r.offset, r.factor), extent.size - 1);
  return r;
}

/// The clause writes only min..max of dimension d, which become 0..max - min.
void cropClause(Clause &c, std::size_t d, const Reach &reach) {
  const Row row = rowOver(c, d, reach);
  std::vector<graph::Index> domain = c.domain;
  domain[row.index].extent.size = row.last - row.first + 1;
  c = overDomain(c, std::move(domain),
                 [&](int p) { return Affine::var(p) + Affine(p == row.index ? row.first : 0); });
  c.out[d] += Affine(-reach.min);
}

class Cropper {
 public:
  explicit Cropper(Graph &g) : g(g), pinned(pinnedTensors(g)), readers(graph::readers(g)) {}

  void run() {
    for (std::size_t i = g.formulas.size(); i-- > 0;) { // readers first: they may read less for it
      Formula &f = g.formulas[i];
      if (pinned[f.target] || (f.op != graph::Combine::Assign && f.op != graph::Combine::Sum)) continue;
      const std::vector<Reach> reached = reachOf(f.target);
      for (std::size_t d = 0; d < reached.size(); ++d)
        crop(f, d, reached[d]);
    }
  }

 private:
  void crop(Formula &f, std::size_t d, Reach reach) {
    graph::Extent &extent = g.tensors[f.target].shape[d];
    if (extent.batch) return;
    reach.min = std::max<std::int64_t>(reach.min, 0); // guards keep reads in range
    reach.max = std::min(reach.max, extent.size - 1);
    if (reach.min > reach.max || (reach.min == 0 && reach.max == extent.size - 1)) return;
    for (const Clause &c : f.clauses)
      if (const Row row = rowOver(c, d, reach); row.first > row.last)
        return; // no row, or nothing would be left
    extent.size = reach.max - reach.min + 1;
    for (Clause &c : f.clauses)
      cropClause(c, d, reach);
    for (const int reader : readers[f.target])
      for (Clause &c : g.formulas[reader].clauses)
        for (Node &n : c.body.nodes)
          if (n.kind == Node::Kind::Read && n.id == f.target) n.map[d] += Affine(-reach.min);
  }

  /// By dimension.
  std::vector<Reach> reachOf(int tensor) const {
    std::vector<Reach> reached(g.tensors[tensor].shape.size());
    for (const int reader : readers[tensor])
      for (const Clause &c : g.formulas[reader].clauses)
        for (const Node &n : c.body.nodes)
          for (std::size_t d = 0; n.kind == Node::Kind::Read && n.id == tensor && d < reached.size(); ++d)
            reached[d].include(rangeOver(c.domain, n.map[d]));
    return reached;
  }

  Graph &g;
  const std::vector<char> pinned;
  const std::vector<std::vector<int>> readers;
};

} // namespace

void crop(Graph &g) {
  Cropper(g).run();
}

} // namespace netc::passes
