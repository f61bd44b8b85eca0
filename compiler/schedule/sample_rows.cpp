// Dense layers whose samples lie in rows, [n][k], so that k can run along the lanes.
//
// The gradient of a dense weight, w.grad[o, k] = sum(n) dy[n, o] * x[n, k], from samples that lie side by
// side: in 16 partial sums each element would cost more to combine than to add up. It reads a copy of x in rows.
//
// Where samples do not lie side by side since there are too few, a sum over several indices of a sample that a weight
// counts as one, y[n, o] = sum(c, d, e) x[n, c, d, e] * w[o, 25*c + 5*d + e], reads such a copy, too, and one that has
// them in its result leaves them in rows first.
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>
#include <optional>

namespace netc::schedule {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::TensorKind;

namespace {

constexpr double combineCycles = 8, copyCycles = 1.5; // for an element of the gradient, and of x

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

bool uses(const std::vector<Affine> &map, std::size_t p) {
  return std::any_of(map.begin(), map.end(), [&](const Affine &a) { return a.uses(static_cast<int>(p)); });
}

/// The last dimension of `weights`, of that extent, counts the elements of one sample of `samples`, all of them.
bool lastCounts(const Clause &c, const std::vector<Affine> &weights, const graph::Extent &extent,
                const std::vector<Affine> &samples) {
  if (weights.empty()) return false;
  const Affine &last = weights.back();
  std::int64_t elements = 1, largest = last.constant();
  for (std::size_t p = 0; p < c.domain.size(); ++p) {
    if (c.domain[p].extent.batch) continue;
    const bool read = uses(samples, p);
    if (read != last.uses(static_cast<int>(p)) && c.domain[p].extent.size > 1) return false;
    for (std::size_t d = 0; read && d + 1 < weights.size(); ++d)
      if (weights[d].uses(static_cast<int>(p))) return false;
    if (!read) continue;
    elements *= c.domain[p].extent.size;
    largest += last.coefficient(static_cast<int>(p)) * (c.domain[p].extent.size - 1);
  }
  return largest + 1 == elements && elements == extent.size && elements >= loop::lanes;
}

int batchOf(const Clause &c) {
  for (std::size_t p = 0; p < c.domain.size(); ++p)
    if (c.domain[p].extent.batch) return static_cast<int>(p);
  return -1;
}

/// A sum of products in which `weights` counts, with its last dimension, the elements of a sample of the read `node`
/// (-1: of the result).
struct Counted {
  int node = -1;
  Affine count;
  graph::Extent k;
};

std::vector<bool> countedIndices(const Clause &c, const Counted &r) {
  std::vector<bool> counted;
  for (std::size_t p = 0; p < c.domain.size(); ++p)
    counted.push_back(r.count.uses(static_cast<int>(p)));
  return counted;
}

/// A tensor [n][k] for the elements of `tensor`.
int addRows(Graph &g, const Clause &c, const Counted &r, int tensor) {
  Tensor t = g.tensors[tensor];
  t.name += ".rows";
  t.kind = TensorKind::Local;
  t.shape = {c.domain[batchOf(c)].extent, r.k};
  return g.addTensor(t);
}

/// The tensor in rows of which `tensor` is a copy; -1: there is none.
int rowsCopied(const Graph &g, const Clause &c, const Counted &r, int tensor) {
  const Formula *made = g.definition(tensor);
  if (!made || made->origin != "copy") return -1;
  const Node &read = made->clauses[0].body.nodes[made->clauses[0].body.root];
  if (read.kind != Node::Kind::Read || read.map != made->clauses[0].out) return -1;
  const Tensor &t = g.tensors[read.id];
  const bool same = t.kind == TensorKind::Input && t.dtype == DType::F32 &&
                    t.shape == std::vector<graph::Extent>{c.domain[batchOf(c)].extent, r.k};
  return same && r.k.size * byteSize(t.dtype) % pageBytes != 0 ? read.id : -1;
}

/// The formula of `tensor` when it computes one element from elements of the caller's samples, which lie in rows.
const Formula *madeFromInputs(const Graph &g, int tensor) {
  const Formula *f = g.definition(tensor);
  if (!f || f->op != graph::Combine::Assign || f->clauses.size() != 1 || f->otherwise || !f->clauses[0].guards.empty() ||
      !plainOut(g, *f, f->clauses[0]))
    return nullptr;
  bool any = false;
  for (const Node &n : f->clauses[0].body.nodes) {
    if (n.kind != Node::Kind::Read) continue;
    const TensorKind kind = g.tensors[n.id].kind;
    if (kind == TensorKind::Local) return nullptr;
    any |= kind == TensorKind::Input;
  }
  return any ? f : nullptr;
}

/// Appends to[...] = from[...], one of which is in rows and counts as the clause does; the other's map is `spread`.
void addCounting(Graph &g, const Clause &c, const Counted &r, const std::vector<Affine> &spread, int to, int from,
                 bool toRows) {
  Formula f;
  f.target = to;
  f.origin = "copy";
  f.location = g.tensors[to].location;
  Clause copy;
  std::vector<int> place(c.domain.size(), -1);
  for (const Affine &a : spread) {
    if (a.isConstant()) continue;
    const int p = a.terms()[0].first;
    place[p] = static_cast<int>(copy.domain.size());
    copy.domain.push_back(c.domain[p]);
  }
  const auto moved = [&](const Affine &a) {
    return a.substitute([&](int p) { return place[p] < 0 ? Affine() : Affine::var(place[p]); });
  };
  const std::vector<Affine> rows{Affine::var(place[batchOf(c)]), moved(r.count)};
  std::vector<Affine> whole;
  for (const Affine &a : spread)
    whole.push_back(moved(a));
  copy.out = toRows ? rows : whole;
  // What is made from the caller's rows is made again: that costs less than to read it side by side.
  if (const Formula *made = toRows ? madeFromInputs(g, from) : nullptr) {
    const Clause &m = made->clauses[0];
    copy.body.root = copy.body.copy(m.body, m.body.root, [&](int p) {
      return whole[std::find(m.out.begin(), m.out.end(), Affine::var(p)) - m.out.begin()];
    });
  } else {
    copy.body.root = copy.body.read(from, g.tensors[from].dtype, toRows ? whole : rows);
  }
  f.clauses.push_back(std::move(copy));
  g.formulas.push_back(std::move(f));
}

/// The same sum with `rows` in place of what is counted: its indices become one.
Clause overRows(const Clause &c, const Counted &r, int rows) {
  const std::vector<bool> counted = countedIndices(c, r);
  Clause result;
  std::vector<Affine> place(c.domain.size());
  for (std::size_t p = 0; p < c.domain.size(); ++p) {
    if (counted[p]) continue;
    place[p] = Affine::var(static_cast<int>(result.domain.size()));
    result.domain.push_back(c.domain[p]);
  }
  std::string name = "k";
  while (std::any_of(result.domain.begin(), result.domain.end(),
                     [&](const graph::Index &i) { return i.name == name; }))
    name += "2";
  const Affine index = Affine::var(static_cast<int>(result.domain.size()));
  result.domain.push_back({name, r.k});
  for (const auto &[p, coefficient] : r.count.terms())
    if (coefficient == 1) place[p] = index; // and the others 0: what is left of the count
  const auto moved = [&](int p) { return place[p]; };
  const std::vector<Affine> inRows{place[batchOf(c)], index};
  if (r.node < 0)
    result.out = inRows;
  else
    for (const Affine &a : c.out)
      result.out.push_back(a.substitute(moved));
  result.body.root = result.body.copy(c.body, c.body.root, moved, [&](int node) {
    return node == r.node ? result.body.read(rows, DType::F32, inRows) : -1;
  });
  return result;
}

/// Formula i over rows; where it is afterwards.
std::size_t putInRows(Graph &g, std::size_t i, const Counted &r) {
  const Clause c = g.formulas[i].clauses[0];
  const int tensor = r.node < 0 ? g.formulas[i].target : c.body.nodes[r.node].id;
  if (const int rows = r.node < 0 ? -1 : rowsCopied(g, c, r, tensor); rows >= 0) {
    g.formulas[i].clauses[0] = overRows(c, r, rows);
    return i;
  }
  const int rows = addRows(g, c, r, tensor);
  g.formulas[i].clauses[0] = overRows(c, r, rows);
  if (r.node < 0) {
    g.formulas[i].target = rows;
    addCounting(g, c, r, c.out, tensor, rows, false);
    ++i;
  } else {
    addCounting(g, c, r, c.body.nodes[r.node].map, rows, tensor, true);
  }
  std::rotate(g.formulas.begin() + static_cast<std::ptrdiff_t>(i), g.formulas.end() - 1, g.formulas.end());
  return r.node < 0 ? i : i + 1;
}

/// The gradient of a weight from samples side by side, where a copy in rows is worth its while.
std::optional<Counted> gradientOverSamples(const Graph &g, const std::map<std::string, Placement> &layouts,
                                           const Formula &f, const Clause &c) {
  if (!batchAlone(g, f, c) || c.out.empty()) return std::nullopt;
  const auto elements = static_cast<double>(schedule::elements(g.tensors[f.target]));
  const graph::Extent k = g.tensors[f.target].shape.back();
  for (int node : c.body.nodes[c.body.root].args) {
    const Node &n = c.body.nodes[node];
    if (g.tensors[n.id].dtype == DType::F32 && batchBlocked(g.tensors[n.id], layout(g, layouts, n.id)) &&
        plainRead(g, c, n) && lastCounts(c, c.out, k, n.map) &&
        elements * combineCycles >= static_cast<double>(g.batch * k.size) * copyCycles)
      return Counted{node, c.out.back(), k};
  }
  return std::nullopt;
}

/// Several indices of a sample, not side by side with others, that a weight counts as one.
std::optional<Counted> sampleCounted(const Graph &g, const std::map<std::string, Placement> &layouts,
                                     const Formula &f, const Clause &c) {
  if (f.clauses.size() != 1 || !c.guards.empty() || f.otherwise || batchOf(c) < 0) return std::nullopt;
  struct Place {
    int node, tensor;
    std::vector<Affine> map;
  };
  std::vector<Place> places{{-1, f.target, c.out}};
  for (int node : c.body.nodes[c.body.root].args)
    places.push_back({node, c.body.nodes[node].id, c.body.nodes[node].map});
  for (const Place &weights : places) {
    if (uses(weights.map, batchOf(c)) || weights.map.empty() || weights.map.back().terms().size() < 2) continue;
    const graph::Extent k = g.tensors[weights.tensor].shape.back();
    for (const Place &samples : places) {
      Node read;
      read.id = samples.tensor;
      read.map = samples.map;
      const Tensor &t = g.tensors[samples.tensor];
      if (t.dtype == DType::F32 && uses(samples.map, batchOf(c)) && plainRead(g, c, read) &&
          !batchBlocked(t, layout(g, layouts, samples.tensor)) && lastCounts(c, weights.map, k, samples.map))
        return Counted{samples.node, weights.map.back(), k};
    }
  }
  return std::nullopt;
}

} // namespace

void rowsOfSamples(Graph &g) {
  const std::map<std::string, Placement> layouts = planLayouts(g);
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const Formula &f = g.formulas[i];
    const Clause &c = f.clauses[0];
    if (!isContraction(f, c)) continue;
    std::optional<Counted> r = gradientOverSamples(g, layouts, f, c);
    if (!r) r = sampleCounted(g, layouts, f, c);
    if (r) i = putInRows(g, i, *r);
  }
}

} // namespace netc::schedule
