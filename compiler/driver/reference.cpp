#include "compiler/driver/reference.h"

#include "compiler/grad/differentiate.h"
#include "compiler/support/entry_name.h"
#include "netc/self_test.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <numeric>

namespace netc::driver {
namespace {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;

static_assert(static_cast<int>(Fn::Given) == NETC_FN_GIVEN && static_cast<int>(Fn::Uniform) == NETC_FN_UNIFORM &&
              static_cast<int>(Fn::Relu) == NETC_FN_RELU && static_cast<int>(Fn::ToReal) == NETC_FN_TO_REAL);
static_assert(static_cast<int>(graph::Combine::ArgMin) == NETC_ARGMIN && static_cast<int>(Node::Kind::Call) == NETC_NODE_CALL);

/// A placeholder and the parameter whose gradient it becomes.
using Gradients = std::vector<std::pair<int, int>>;

Gradients gradientsOf(const Graph &g) {
  Gradients list;
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    if (g.tensors[t].kind == graph::TensorKind::Gradient &&
        g.tensors[static_cast<std::size_t>(g.tensors[t].of)].kind == graph::TensorKind::Param)
      list.emplace_back(g.tensors[t].of, static_cast<int>(t));
  return list;
}

class EntryWriter {
public:
  EntryWriter(const Graph &g, Gradients gradients, const std::vector<loop::Tensor> &model)
      : g(g), gradients(std::move(gradients)), model(model), forLoss(g.tensors.size(), false) {}

  codegen::ReferenceEntry write() {
    findLossFormulas();
    list(g.tensors, [&](const Tensor &t) { tensor(t); });
    list(g.formulas, [&](const Formula &f) { formula(f); });
    list(g.results, [&](const graph::Result &r) { put(r.tensor); });
    list(losses(), [&](int t) { put(t); });
    list(g.next, [&](const graph::Next &n) { put(n.state), put(n.value); });
    list(gradients, [&](const auto &pair) { put(pair.first), put(pair.second); });
    return {g.name, std::move(words), g.scalars};
  }

private:
  void put(std::integral auto word) { words.push_back(word); }
  void put(double real) { words.push_back(std::bit_cast<std::int64_t>(real)); }
  template <class Enum> void code(Enum e) { put(static_cast<std::int64_t>(e)); }
  template <class List, class Write> void list(const List &items, const Write &write) {
    put(items.size());
    for (const auto &item : items) write(item);
  }

  std::vector<int> losses() const {
    std::vector<int> tensors;
    for (const graph::Result &r : g.results)
      if (r.kind == graph::Result::Kind::Loss) tensors.push_back(r.tensor);
    return tensors;
  }

  void findLossFormulas() {
    for (const int t : losses()) forLoss[static_cast<std::size_t>(t)] = true;
    for (auto f = g.formulas.rbegin(); f != g.formulas.rend(); ++f) {
      if (!forLoss[static_cast<std::size_t>(f->target)]) continue;
      for (const Clause &c : f->clauses)
        for (const Node &n : c.body.nodes)
          if (n.kind == Node::Kind::Read) forLoss[static_cast<std::size_t>(n.id)] = true;
    }
  }

  void tensor(const Tensor &t) {
    const auto same = std::find_if(model.begin(), model.end(), [&](const loop::Tensor &m) { return m.name == t.name; });
    const bool given = t.shared() && t.kind != graph::TensorKind::Constant;
    code(t.dtype);
    put(given ? same - model.begin() : -1);
    put(!t.shape.empty() && t.shape[0].batch);
    list(t.shape, [&](const graph::Extent &e) { put(e.size); });
    list(t.values, [&](double v) { put(v); });
  }

  void formula(const Formula &f) {
    put(f.target);
    code(f.op);
    put(static_cast<bool>(forLoss[static_cast<std::size_t>(f.target)]));
    put(f.origin == grad::stoppedOrigin);
    put(f.otherwise.has_value());
    if (f.otherwise) put(*f.otherwise);
    list(f.clauses, [&](const Clause &c) { clause(c, f); });
  }

  void clause(const Clause &c, const Formula &f) {
    order = rowsLast(c);
    put(std::max<std::size_t>(order.size(), 1));
    for (const int p : order) put(extent(c, p).size), put(extent(c, p).batch);
    if (order.empty()) put(1), put(0); // one point
    list(c.guards, [&](const Affine &a) { affine(a); });
    affine(place(f.target, c.out));
    affine(ordinal(c));
    put(c.body.root + 1);
    for (int n = 0; n <= c.body.root; ++n) node(c.body.nodes[static_cast<std::size_t>(n)]);
  }

  void node(const Node &n) {
    code(n.kind);
    code(n.dtype);
    switch (n.kind) {
    case Node::Kind::Const: return put(n.value);
    case Node::Kind::Index: return affine(n.affine);
    case Node::Kind::Scalar: return put(n.id);
    case Node::Kind::Read: return put(n.id), affine(place(n.id, n.map));
    case Node::Kind::Call: break;
    }
    code(n.fn);
    list(n.args, [&](int a) { put(a); });
  }

  static const graph::Extent &extent(const Clause &c, int position) { return c.domain[static_cast<std::size_t>(position)].extent; }

  /// The domain's positions with the longest index last: evaluation goes by rows.
  static std::vector<int> rowsLast(const Clause &c) {
    std::vector<int> positions(c.domain.size());
    std::iota(positions.begin(), positions.end(), 0);
    const auto length = [&](int p) { return extent(c, p).batch ? 1 : extent(c, p).size; };
    std::stable_sort(positions.begin(), positions.end(), [&](int a, int b) { return length(a) < length(b); });
    return positions;
  }

  Affine place(int tensor, const std::vector<Affine> &map) const {
    Affine offset;
    std::int64_t stride = 1;
    const auto &shape = g.tensors[static_cast<std::size_t>(tensor)].shape;
    for (std::size_t d = map.size(); d-- > 0; stride *= shape[d].size) offset += map[d] * stride;
    return offset;
  }

  static Affine ordinal(const Clause &c) {
    Affine number;
    std::int64_t radix = 1;
    const std::vector<int> reduced = c.reduction();
    for (auto p = reduced.rbegin(); p != reduced.rend(); ++p) {
      number += Affine::var(*p, radix);
      radix *= extent(c, *p).size;
    }
    return number;
  }

  /// Over the indices in the order of the rows.
  void affine(const Affine &a) {
    put(a.constant());
    list(a.terms(), [&](const Affine::Term &term) {
      put(std::find(order.begin(), order.end(), term.first) - order.begin());
      put(term.second);
    });
  }

  const Graph &g;
  const Gradients gradients;
  const std::vector<loop::Tensor> &model;
  std::vector<bool> forLoss; // tensors
  std::vector<int> order;    // of the clause in work
  std::vector<std::int64_t> words;
};

} // namespace

codegen::Reference reference(const graph::Module &source, const graph::Module &differentiated, const std::vector<loop::Tensor> &tensors) {
  codegen::Reference list;
  for (std::size_t i = 0; i < source.entries.size(); ++i)
    list.push_back(EntryWriter(differentiated.entries[i], gradientsOf(source.entries[i]), tensors).write());
  for (std::size_t i = 0; i + 1 < list.size(); ++i)
    if (roleOf(list[i].name) == "apply") std::swap(list[i], list[i + 1]), ++i; // an update stands before its sums
  return list;
}

} // namespace netc::driver
