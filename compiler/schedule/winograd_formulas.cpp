// A convolution written as Winograd's filtering: its transforms and their product, a formula each.
#include "compiler/schedule/plan_parts.h"
#include "compiler/schedule/winograd.h"

#include <algorithm>

namespace netc::schedule {

using graph::Clause;
using graph::Combine;
using graph::Extent;
using graph::Formula;
using graph::Graph;
using graph::Index;
using graph::Node;
using graph::Tensor;

namespace {

/// One formula being written: its indices, and what stands for those of the convolution.
class Draft {
 public:
  Draft(Graph &g, const Formula &of) : g(g), of(of) {}

  Affine index(const std::string &name, Extent extent) {
    std::string unique = name;
    for (int k = 2; std::any_of(c.domain.begin(), c.domain.end(), [&](const Index &i) { return i.name == unique; }); ++k)
      unique = name + std::to_string(k);
    c.domain.push_back({unique, extent});
    return Affine::var(static_cast<int>(c.domain.size()) - 1);
  }
  Affine index(const std::string &name, std::int64_t size) { return index(name, Extent{size, false}); }
  /// The product of the directions' matrix elements, which is nothing where it is 0, and a value.
  void multiply(const Matrix &m, const std::vector<std::pair<Affine, Affine>> &at, int tensor, std::vector<Affine> map) {
    int factor = -1;
    for (const auto &[row, column] : at) {
      const int element = c.body.read(constant(m), DType::F32, {row, column});
      factor = factor < 0 ? element : c.body.call(Fn::Mul, factor, element);
    }
    const int value = c.body.read(tensor, DType::F32, std::move(map));
    const int none = c.body.constant(0);
    const int kept = c.body.call(Fn::Select, c.body.call(Fn::Ne, factor, none), value, none);
    c.body.root = c.body.call(Fn::Mul, factor, kept);
  }
  /// Leaves out the points where `at` is `end` or more, if there are any.
  void endAt(const Affine &at, std::int64_t end) {
    const Affine within = Affine(end - 1) - at;
    const auto implies = [&](const Affine &guard) { return (within - guard).isConstant() && (within - guard).constant() >= 0; };
    const Interval range = within.range([&](int p) { return Interval{0, c.domain[p].extent.size - 1}; });
    if (range.min < 0 && std::none_of(c.guards.begin(), c.guards.end(), implies)) c.guards.push_back(within);
  }
  /// A new tensor with the extents of `out`, or a given one.
  Formula finish(std::vector<Affine> out, const std::string &name, Combine op = Combine::Sum, int target = -1) {
    if (target < 0) {
      Tensor t;
      t.name = name;
      t.location = g.tensors[of.target].location;
      for (const Affine &a : out)
        t.shape.push_back(c.domain[varOf(a)].extent);
      target = g.addTensor(std::move(t));
    }
    c.out = std::move(out);
    Formula f;
    f.target = target;
    f.op = op;
    f.location = of.location;
    f.origin = of.origin + ", winograd";
    f.clauses.push_back(std::move(c));
    return f;
  }

  Clause c;

 private:
  int constant(const Matrix &m) {
    if (const int known = g.find(m.name); known >= 0) return known;
    Tensor t;
    t.name = m.name;
    t.kind = graph::TensorKind::Constant;
    t.shape = {{static_cast<std::int64_t>(m.values.size()) / m.columns, false}, {m.columns, false}};
    t.values = m.values;
    t.location = of.location; // of the first that has use for it
    return g.addTensor(std::move(t));
  }

  Graph &g;
  const Formula &of;
};

class Rewriter {
 public:
  Rewriter(Graph &g, const Formula &given, const Convolution &conv, const Filtering &by)
      : g(g), f(given), c(f.clauses[0]), conv(conv), by(by), name(g.tensors[f.target].name) {}

  /// The formulas in place of the convolution.
  std::vector<Formula> run() {
    if (conv.w.tensor == f.target) { // the kernel's gradient
      const int tiles = add(inputTiles()), gradients = add(gradientTiles());
      add(kernelOf(add(product(conv.w, {{tiles, &conv.x}, {gradients, &conv.y}}, ".products"))));
      return std::move(formulas);
    }
    const int kernel = add(kernelTransform());
    const int tiles = add(inputTiles());
    const int results = add(product(conv.y, {{tiles, &conv.x}, {kernel, &conv.w}}, ".results"));
    if (Formula *reader = onlyReader())
      readPairs(*reader, add(resultsOf(results, f.target)));
    else
      add(inOrder(add(resultsOf(results))));
    return std::move(formulas);
  }

 private:
  using Rows = std::vector<std::pair<Affine, Affine>>;

  int add(Formula made) {
    formulas.push_back(std::move(made));
    return formulas.back().target;
  }
  const Index &old(int position) const { return c.domain[position]; }
  Extent tilesOf(const Index &i) const { return {by.tiles(i.extent.size), false}; }
  std::vector<Affine> productIndices(Draft &d) const { return {d.index("p", by.products()), d.index("q", by.products())}; }

  /// How a factor's transformed tensor is indexed: [n, p, q, ...] with a tile in place of its two pixels, and the kernel's
  /// [p, q, ...] without the taps, what is summed up last: a sum reads it from end to end.
  template <class IndexOf> std::vector<Affine> transformedMap(const Factor &o, const std::vector<Affine> &pq, IndexOf indexOf) const {
    std::vector<Affine> map;
    const bool samples = g.tensors[o.tensor].shape[0].batch;
    if (!samples) map = pq;
    std::vector<Affine> dimensions = o.map;
    if (!samples)
      std::stable_partition(dimensions.begin(), dimensions.end(), [&](const Affine &a) { return conv.y.runsOver(varOf(a)); });
    for (const Affine &a : dimensions) {
      int v = varOf(a);
      if (v < 0) // x
        for (const Direction &direction : conv.directions)
          if (a.uses(direction.i)) v = direction.i;
      if (!conv.ofKernel(v)) map.push_back(indexOf(v));
      if (samples && map.size() == 1) map.insert(map.end(), pq.begin(), pq.end());
    }
    return map;
  }
  /// Indices for a tensor [n, p, q, ...] or [p, q, ...], in its order; by old position in `indices`, p and q in `pq`.
  std::vector<Affine> declare(Draft &d, const Factor &o, std::map<int, Affine> &indices, std::vector<Affine> &pq) const {
    const bool samples = g.tensors[o.tensor].shape[0].batch;
    if (!samples) pq = productIndices(d);
    std::vector<Affine> zero(directions);
    transformedMap(o, zero, [&](int v) {
      const Index &i = old(v);
      indices[v] = conv.ofImage(v) ? d.index(i.name, tilesOf(i)) : d.index(i.name, i.extent);
      if (samples && pq.empty()) pq = productIndices(d);
      return indices[v];
    });
    return transformedMap(o, pq, [&](int v) { return indices.at(v); });
  }

  /// x in overlapping tiles, transformed.
  Formula inputTiles() {
    Draft d(g, f);
    std::map<int, Affine> at;
    std::vector<Affine> pq;
    std::vector<Affine> out = declare(d, conv.x, at, pq);
    Rows rows;
    std::vector<Affine> pixel; // of each direction, as i + u
    for (std::size_t k = 0; k < conv.directions.size(); ++k) {
      const Affine inTile = d.index(old(conv.directions[k].u).name, by.products());
      rows.push_back({pq[k], inTile});
      pixel.push_back(at.at(conv.directions[k].i) * by.tile + inTile);
    }
    std::vector<Affine> map;
    for (const Affine &a : conv.x.map) {
      if (const int v = varOf(a); v >= 0) {
        map.push_back(at.at(v));
        continue;
      }
      for (std::size_t k = 0; k < conv.directions.size(); ++k)
        if (a.uses(conv.directions[k].i)) map.push_back(pixel[k] + conv.directions[k].offset);
    }
    for (const Affine &guard : c.guards)
      for (std::size_t k = 0; k < conv.directions.size(); ++k)
        if (const Direction &direction = conv.directions[k]; guard.uses(direction.i)) {
          const std::int64_t sign = guard.coefficient(direction.i), shift = direction.flipped ? kernelSize - 1 : 0;
          d.c.guards.push_back((pixel[k] - shift) * sign + guard.constant());
        }
    for (std::size_t k = 0; k < conv.directions.size(); ++k)
      d.endAt(pixel[k], old(conv.directions[k].i).extent.size + kernelSize - 1);
    d.multiply(by.input, rows, conv.x.tensor, std::move(map));
    return d.finish(std::move(out), name + ".tiles");
  }

  /// w, transformed.
  Formula kernelTransform() {
    Draft d(g, f);
    std::map<int, Affine> at;
    std::vector<Affine> pq;
    std::vector<Affine> out = declare(d, conv.w, at, pq);
    Rows rows;
    for (std::size_t k = 0; k < conv.directions.size(); ++k) {
      const Direction &direction = conv.directions[k];
      const Affine tap = d.index(old(direction.u).name, kernelSize);
      rows.push_back({pq[k], tap});
      at[direction.u] = direction.flipped ? Affine(kernelSize - 1) - tap : tap;
    }
    d.multiply(by.kernel, rows, conv.w.tensor, mapOver(conv.w, at));
    return d.finish(std::move(out), name + ".kernel");
  }

  /// y in tiles, transformed.
  Formula gradientTiles() {
    Draft d(g, f);
    std::map<int, Affine> at;
    std::vector<Affine> pq;
    std::vector<Affine> out = declare(d, conv.y, at, pq);
    Rows rows;
    for (std::size_t k = 0; k < conv.directions.size(); ++k) {
      const int i = conv.directions[k].i;
      const Affine inTile = d.index(old(i).name + "t", by.tile);
      rows.push_back({pq[k], inTile});
      at[i] = at.at(i) * by.tile + inTile;
      d.endAt(at[i], old(i).extent.size);
    }
    d.multiply(by.result, rows, conv.y.tensor, mapOver(conv.y, at));
    return d.finish(std::move(out), name + ".gradients");
  }

  /// The sums of products of two transformed factors, for each p and q.
  Formula product(const Factor &result, const std::vector<std::pair<int, const Factor *>> &factors, const std::string &suffix) {
    Draft d(g, f);
    std::map<int, Affine> at;
    std::vector<Affine> pq;
    std::vector<Affine> out = declare(d, result, at, pq);
    std::vector<int> reads;
    for (const auto &[tensor, factor] : factors)
      reads.push_back(d.c.body.read(tensor, DType::F32, transformedMap(*factor, pq, [&](int v) {
        if (const auto known = at.find(v); known != at.end()) return known->second;
        return at[v] = conv.ofImage(v) ? d.index(old(v).name, tilesOf(old(v))) : d.index(old(v).name, old(v).extent);
      })));
    d.c.body.root = d.c.body.call(Fn::Mul, reads[0], reads[1]);
    return d.finish(std::move(out), name + suffix);
  }

  /// w from its products.
  Formula kernelOf(int tensor) {
    Draft d(g, f);
    std::map<int, Affine> at;
    std::vector<Affine> out;
    for (const Affine &a : conv.w.map)
      out.push_back(at[varOf(a)] = d.index(old(varOf(a)).name, old(varOf(a)).extent));
    const std::vector<Affine> pq = productIndices(d);
    Rows rows;
    for (std::size_t k = 0; k < conv.directions.size(); ++k) {
      const Direction &direction = conv.directions[k];
      rows.push_back({pq[k], direction.flipped ? Affine(kernelSize - 1) - at.at(direction.u) : at.at(direction.u)});
    }
    d.multiply(by.kernel, rows, tensor, transformedMap(conv.w, pq, [&](int v) { return at.at(v); }));
    return d.finish(std::move(out), "", Combine::Sum, f.target);
  }

  /// y from its products, each dimension of the image as tile and place in it.
  Formula resultsOf(int tensor, int target = -1) {
    Draft d(g, f);
    std::map<int, Affine> at;
    std::vector<Affine> out;
    std::vector<Affine> inTile(directions), pq;
    for (const Affine &a : conv.y.map) {
      const int v = varOf(a);
      out.push_back(at[v] = conv.ofImage(v) ? d.index(old(v).name, tilesOf(old(v))) : d.index(old(v).name, old(v).extent));
      for (std::size_t k = 0; k < conv.directions.size(); ++k)
        if (conv.directions[k].i == v) out.push_back(inTile[k] = d.index(old(v).name + "t", by.tile));
    }
    pq = productIndices(d);
    d.multiply(by.result, {{pq[0], inTile[0]}, {pq[1], inTile[1]}}, tensor,
               transformedMap(conv.y, pq, [&](int v) { return at.at(v); }));
    if (target >= 0) {
      g.tensors[target].shape.clear();
      for (const Affine &a : out)
        g.tensors[target].shape.push_back(d.c.domain[varOf(a)].extent);
    }
    return d.finish(std::move(out), name + ".pairs", Combine::Sum, target);
  }

  /// The pairs as the rows and columns that they are.
  Formula inOrder(int pairs) {
    Draft d(g, f);
    std::vector<Affine> out, map;
    for (const Affine &a : conv.y.map) {
      const int v = varOf(a);
      const bool tiled = conv.ofImage(v);
      const Affine i = tiled ? d.index(old(v).name, tilesOf(old(v))) : d.index(old(v).name, old(v).extent);
      map.push_back(i);
      if (tiled) map.push_back(d.index(old(v).name + "t", by.tile));
      out.push_back(tiled ? i * by.tile + map.back() : i);
      if (tiled) d.endAt(out.back(), old(v).extent.size);
    }
    d.c.body.root = d.c.body.read(pairs, DType::F32, std::move(map));
    return d.finish(std::move(out), "", Combine::Assign, f.target);
  }

  /// The formula that alone reads y, if it works point by point, over all points: it can read the pairs and put in order
  /// what it makes of them.
  Formula *onlyReader() const {
    Formula *reader = nullptr;
    for (Formula &r : g.formulas)
      if (reads(r, f.target)) {
        if (reader) return nullptr;
        reader = &r;
      }
    const bool stored = std::any_of(g.next.begin(), g.next.end(), [&](const graph::Next &n) { return n.value == f.target; });
    if (!reader || stored || reader->op != Combine::Assign || reader->clauses.size() != 1 || !reader->clauses[0].guards.empty())
      return nullptr;
    const Clause &r = reader->clauses[0];
    const std::vector<Affine> *map = nullptr;
    for (const Node &n : r.body.nodes) {
      if (n.kind != Node::Kind::Read || n.id != f.target) continue;
      if (map && *map != n.map) return nullptr;
      map = &n.map;
    }
    std::vector<bool> covered(r.domain.size(), false);
    for (std::size_t d = 0; d < map->size(); ++d) {
      const int v = varOf((*map)[d]);
      if (v < 0 || covered[v] || r.domain[v].extent != g.tensors[f.target].shape[d]) return nullptr;
      covered[v] = true;
    }
    return std::count(covered.begin(), covered.end(), false) == 0 ? reader : nullptr;
  }

  /// `pairs` is y, which has taken their shape.
  void readPairs(Formula &reader, int pairs) {
    const Clause before = reader.clauses[0], ordered = inOrder(pairs).clauses[0];
    const Node &inPairs = ordered.body.nodes[ordered.body.root];
    std::vector<Affine> by(before.domain.size()); // the reader's indices over the pairs'
    for (const Node &n : before.body.nodes)
      if (n.kind == Node::Kind::Read && n.id == pairs)
        for (std::size_t d = 0; d < n.map.size(); ++d)
          by[varOf(n.map[d])] = ordered.out[d];
    const auto subst = [&](int v) { return by[v]; };
    Clause &c = reader.clauses[0] = Clause{ordered.domain, ordered.guards, {}, {}};
    c.body.root = c.body.copy(before.body, before.body.root, subst, [&](int n) {
      const Node &node = before.body.nodes[n];
      return node.kind == Node::Kind::Read && node.id == pairs ? c.body.read(pairs, DType::F32, inPairs.map) : -1;
    });
    for (const Affine &a : before.out)
      c.out.push_back(a.substitute(subst));
  }

  static std::vector<Affine> mapOver(const Factor &o, const std::map<int, Affine> &at) {
    std::vector<Affine> map;
    for (const Affine &a : o.map)
      map.push_back(at.at(varOf(a)));
    return map;
  }

  Graph &g;
  const Formula f;
  const Clause &c;
  const Convolution conv;
  const Filtering &by;
  const std::string name;
  std::vector<Formula> formulas;
};

} // namespace

std::vector<Formula> filtered(Graph &g, const Formula &f, const Convolution &conv, const Filtering &by) {
  return Rewriter(g, f, conv, by).run();
}

} // namespace netc::schedule
