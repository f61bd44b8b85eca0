// Requires: `simplify`, which turns sums that only copy into assignments. A view is an assignment of a single
// read that covers its whole result: flatten, transpose, slice, broadcast. A reader of the view reads the
// source at the point that the view's map comes from. Where a result dimension is the mixed-radix number of
// several indices (flatten), the reader's own index is split into these digits when its subscript is not of
// that form already. Copies with `otherwise` (padding) stay: an index map cannot say "zero outside".
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"
#include "compiler/support/division.h"

#include <algorithm>
#include <optional>

namespace netc::passes {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Index;
using graph::Node;

namespace {

/// One digit of a result dimension: its value is weight * (domain index `position`).
struct Digit {
  int position;
  std::int64_t weight, extent;
};

/// A view, inverted: each result dimension as digits, the most significant first.
struct View {
  int target;
  Node source;
  std::vector<Index> domain;
  std::vector<std::vector<Digit>> digits;
};

/// The digits of one dimension if they are exactly those of the numbers 0 .. size-1.
std::optional<std::vector<Digit>> digitsOf(const Clause &c, const Affine &a, std::int64_t size) {
  if (a.constant() != 0) return std::nullopt;
  std::vector<Digit> digits;
  for (auto &[v, k] : a.terms())
    if (c.domain[v].extent.size > 1 || c.domain[v].extent.batch)
      digits.push_back({v, k, c.domain[v].extent.size});
  std::sort(digits.begin(), digits.end(), [](const Digit &x, const Digit &y) { return x.weight > y.weight; });
  std::int64_t weight = 1;
  for (auto d = digits.rbegin(); d != digits.rend(); ++d) {
    if (d->weight != weight) return std::nullopt;
    weight *= d->extent;
  }
  if (weight != size) return std::nullopt;
  return digits;
}

std::optional<View> asView(const Graph &g, const Formula &f) {
  if (f.op != graph::Combine::Assign || f.clauses.size() != 1 || f.otherwise || stopsGradient(f))
    return std::nullopt;
  const Clause &c = f.clauses[0];
  const Node &root = c.body.nodes[c.body.root];
  if (!c.guards.empty() || root.kind != Node::Kind::Read) return std::nullopt;
  View view{f.target, root, c.domain, {}};
  for (std::size_t d = 0; d < c.out.size(); ++d) {
    auto digits = digitsOf(c, c.out[d], g.tensors[f.target].shape[d].size);
    if (!digits) return std::nullopt;
    view.digits.push_back(std::move(*digits));
  }
  return view;
}

/// The digits' values at a subscript of the reader; none when the subscript cannot be taken apart.
std::optional<std::vector<Affine>> decode(const std::vector<Digit> &digits, Affine subscript,
                                          const std::vector<Index> &domain) {
  std::vector<Affine> values;
  for (const Digit &d : digits) {
    if (&d == &digits.back()) {
      values.push_back(subscript);
      break;
    }
    Affine high, low = subscript;
    for (auto &[v, k] : subscript.terms())
      if (k % d.weight == 0) high += Affine::var(v, k / d.weight), low += Affine::var(v, -k);
    const std::int64_t whole = floorDivide(low.constant(), d.weight);
    high += whole;
    low += -whole * d.weight;
    const Interval range = rangeOver(domain, low);
    if (range.min < 0 || range.max >= d.weight) return std::nullopt;
    values.push_back(high);
    subscript = low;
  }
  return values;
}

/// The reader's domain with index k replaced by the digits, in k's place.
Clause splitIndex(const Clause &c, int k, const std::vector<Digit> &digits, const View &view) {
  std::vector<Index> domain;
  std::vector<Affine> moved(c.domain.size());
  for (int p = 0; p < static_cast<int>(c.domain.size()); ++p) {
    if (p != k) {
      moved[p] = Affine::var(static_cast<int>(domain.size()));
      domain.push_back(c.domain[p]);
      continue;
    }
    for (const Digit &d : digits) {
      moved[p] += Affine::var(static_cast<int>(domain.size()), d.weight);
      std::vector<Index> taken = domain;
      taken.insert(taken.end(), c.domain.begin() + p + 1, c.domain.end());
      domain.push_back({freshName(taken, view.domain[d.position].name), view.domain[d.position].extent});
    }
  }
  return overDomain(c, std::move(domain), [&](int p) { return moved[p]; });
}

bool isReadOf(const Node &n, const View &view) {
  return n.kind == Node::Kind::Read && n.id == view.target;
}

/// Splits the indices that stand alone, at full extent, where the view has several digits.
void splitWhereNeeded(Clause &c, const View &view) {
  bool again = true;
  while (again) {
    again = false;
    for (const Node &n : c.body.nodes) {
      if (!isReadOf(n, view)) continue;
      for (std::size_t d = 0; d < n.map.size(); ++d) {
        int k = -1;
        if (view.digits[d].size() < 2 || !n.map[d].isVar(&k)) continue;
        std::int64_t size = 1;
        for (const Digit &digit : view.digits[d])
          size *= digit.extent;
        if (c.domain[k].extent.batch || c.domain[k].extent.size != size) continue;
        c = splitIndex(c, k, view.digits[d], view);
        again = true;
        break; // n is gone with the old clause
      }
      if (again) break;
    }
  }
}

/// The source's map for a read of the view at `map`.
std::optional<std::vector<Affine>> sourceMap(const View &view, const std::vector<Affine> &map,
                                             const std::vector<Index> &domain) {
  std::vector<Affine> at(view.domain.size()); // view index -> reader's affine; unit indices are 0
  for (std::size_t d = 0; d < map.size(); ++d) {
    auto values = decode(view.digits[d], map[d], domain);
    if (!values) return std::nullopt;
    for (std::size_t i = 0; i < view.digits[d].size(); ++i)
      at[view.digits[d][i].position] = (*values)[i];
  }
  std::vector<Affine> source;
  for (const Affine &a : view.source.map)
    source.push_back(a.substitute([&](int p) { return at[p]; }));
  return source;
}

void readThrough(Clause &c, const View &view) {
  splitWhereNeeded(c, view);
  for (Node &n : c.body.nodes)
    if (isReadOf(n, view))
      if (auto map = sourceMap(view, n.map, c.domain)) {
        n.id = view.source.id;
        n.map = std::move(*map);
      }
  graph::Body shared; // reads may have become equal
  shared.root = shared.copy(c.body, c.body.root);
  c.body = std::move(shared);
}

} // namespace

void inlineViews(Graph &g) {
  const std::vector<char> wanted = gradientTensors(g);
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const auto view = asView(g, g.formulas[i]);
    if (!view || wanted[view->target]) continue;
    for (std::size_t j = i + 1; j < g.formulas.size(); ++j)
      if (reads(g.formulas[j], view->target))
        for (Clause &c : g.formulas[j].clauses)
          readThrough(c, *view);
  }
}

} // namespace netc::passes
