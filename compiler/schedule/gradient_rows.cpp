// The gradient of a dense weight, w.grad[o, k] = sum(n) dy[n, o] * x[n, k], from samples that lie side by
// side: in 16 partial sums each element would cost more to combine than to add up. A copy of x in rows,
// [n][k], puts k along the lanes instead.
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>

namespace netc::schedule {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::TensorKind;

namespace {

constexpr double combineCycles = 8, copyCycles = 1.5; // for an element of the gradient, and of x
// Rows that lie whole pages apart share few places of the nearest cache.
constexpr std::int64_t pageBytes = 4096;

bool batchAlone(const Graph &g, const Formula &f, const Clause &c) {
  const std::vector<int> reduced = c.reduction();
  if (f.clauses.size() != 1 || !c.guards.empty() || reduced.size() != 1 || !c.domain[reduced[0]].extent.batch)
    return false;
  return std::none_of(g.tensors[f.target].shape.begin(), g.tensors[f.target].shape.end(),
                      [](const graph::Extent &e) { return e.batch; });
}

/// Every dimension of the read is an index of its own, one of them the batch, or has one element.
bool plainRead(const Graph &g, const Clause &c, const Node &n) {
  std::vector<int> seen;
  for (std::size_t d = 0; d < n.map.size(); ++d) {
    int v = -1;
    if (n.map[d].isConstant() && !g.tensors[n.id].shape[d].batch && g.tensors[n.id].shape[d].size == 1) continue;
    if (!n.map[d].isVar(&v) || std::count(seen.begin(), seen.end(), v) ||
        !(c.domain[v].extent == g.tensors[n.id].shape[d]))
      return false;
    seen.push_back(v);
  }
  return true;
}

/// The last dimension of the result counts the read's elements of one sample, all of them.
bool lastCounts(const Graph &g, const Formula &f, const Clause &c, const Node &n) {
  if (c.out.empty()) return false;
  const Affine &last = c.out.back();
  std::int64_t elements = 1, largest = last.constant();
  for (std::size_t p = 0; p < c.domain.size(); ++p) {
    if (c.domain[p].extent.batch) continue;
    const bool read =
        std::any_of(n.map.begin(), n.map.end(), [&](const Affine &a) { return a.uses(static_cast<int>(p)); });
    if (read != last.uses(static_cast<int>(p)) && c.domain[p].extent.size > 1) return false;
    for (std::size_t d = 0; read && d + 1 < c.out.size(); ++d)
      if (c.out[d].uses(static_cast<int>(p))) return false;
    if (!read) continue;
    elements *= c.domain[p].extent.size;
    largest += last.coefficient(static_cast<int>(p)) * (c.domain[p].extent.size - 1);
  }
  return largest + 1 == elements && elements == g.tensors[f.target].shape.back().size &&
         elements >= loop::lanes;
}

/// `name.rows[n, k] = x[n, ...]`, k as the clause counts; its tensor.
int addRows(Graph &g, const Clause &c, const Node &read, const graph::Extent &k) {
  const int batch = c.reduction()[0];
  Tensor t = g.tensors[read.id];
  t.name += ".rows";
  t.kind = TensorKind::Local;
  t.shape = {c.domain[batch].extent, k};
  Formula f;
  f.target = g.addTensor(t);
  f.origin = "copy";
  f.location = t.location;
  Clause copy;
  std::vector<int> place(c.domain.size(), -1);
  const auto add = [&](int p) {
    place[p] = static_cast<int>(copy.domain.size());
    copy.domain.push_back(c.domain[p]);
  };
  for (const Affine &a : read.map)
    if (!a.isConstant()) add(a.terms()[0].first);
  const auto moved = [&](const Affine &a) {
    return a.substitute([&](int p) { return place[p] < 0 ? Affine() : Affine::var(place[p]); });
  };
  copy.out = {Affine::var(place[batch]), moved(c.out.back())};
  std::vector<Affine> map;
  for (const Affine &a : read.map)
    map.push_back(moved(a));
  copy.body.root = copy.body.read(read.id, g.tensors[read.id].dtype, map);
  f.clauses.push_back(std::move(copy));
  g.formulas.push_back(std::move(f));
  return g.formulas.back().target;
}

/// The same sum with the rows in place of the read: its indices become one.
Clause overRows(const Clause &c, int readNode, int rows, const graph::Extent &k) {
  const Node &read = c.body.nodes[readNode];
  const int batch = c.reduction()[0];
  Clause r;
  std::vector<Affine> place(c.domain.size());
  for (std::size_t p = 0; p < c.domain.size(); ++p) {
    const bool counted = static_cast<int>(p) != batch &&
                         std::any_of(read.map.begin(), read.map.end(),
                                     [&](const Affine &a) { return a.uses(static_cast<int>(p)); });
    if (counted) continue;
    place[p] = Affine::var(static_cast<int>(r.domain.size()));
    r.domain.push_back(c.domain[p]);
  }
  std::string name = "k";
  while (std::any_of(r.domain.begin(), r.domain.end(), [&](const graph::Index &i) { return i.name == name; }))
    name += "2";
  const Affine index = Affine::var(static_cast<int>(r.domain.size()));
  r.domain.push_back({name, k});
  for (std::size_t d = 0; d + 1 < c.out.size(); ++d)
    r.out.push_back(c.out[d].substitute([&](int p) { return place[p]; }));
  r.out.push_back(index);
  r.body.root = r.body.copy(
      c.body, c.body.root, [&](int p) { return place[p]; },
      [&](int node) {
        return node == readNode ? r.body.read(rows, DType::F32, {place[batch], index}) : -1;
      });
  return r;
}

} // namespace

void rowsForGradients(Graph &g) {
  const std::map<std::string, Placement> layouts = planLayouts(g);
  const auto besideEachOther = [&](int t) { return batchBlocked(g.tensors[t], layout(g, layouts, t)); };
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const Formula &f = g.formulas[i];
    const Clause &c = f.clauses[0];
    if (!isContraction(f, c) || !batchAlone(g, f, c)) continue;
    for (int node : c.body.nodes[c.body.root].args) {
      const Node &n = c.body.nodes[node];
      const double elements = static_cast<double>(schedule::elements(g.tensors[f.target], false));
      const graph::Extent k =
          g.tensors[f.target].shape.empty() ? graph::Extent{} : g.tensors[f.target].shape.back();
      if (g.tensors[n.id].dtype != DType::F32 || !besideEachOther(n.id) || !plainRead(g, c, n) ||
          !lastCounts(g, f, c, n) || 4 * k.size % pageBytes == 0 ||
          elements * combineCycles < static_cast<double>(g.batch * k.size) * copyCycles)
        continue;
      const int rows = addRows(g, c, n, k);
      g.formulas[i].clauses[0] = overRows(g.formulas[i].clauses[0], node, rows, k);
      std::rotate(g.formulas.begin() + static_cast<std::ptrdiff_t>(i), g.formulas.end() - 1,
                  g.formulas.end());
      ++i;
      break;
    }
  }
}

} // namespace netc::schedule
