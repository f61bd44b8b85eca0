// Requires: simplify and mergePointwise have run, so that bodies are whole. A factor that does not change within a sum
// leaves it: sum(n) s[n] * w[c] becomes w[c] * sum(n) s[n]. Sums that differ in such factors alone are then equal.
// Rounds otherwise, and assumes that the factors are finite.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

#include <algorithm>
#include <set>

namespace netc::passes {

namespace {

using graph::Body;
using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;

/// Takes the factors out of one clause's body.
class Splitter {
public:
  explicit Splitter(const Clause &c) : body(c.body) {
    const std::vector<int> reduced = c.reduction();
    const auto moves = [&](const Affine &a) {
      return std::any_of(reduced.begin(), reduced.end(), [&](int p) { return a.uses(p); });
    };
    for (const Node &n : body.nodes) {
      bool varies = n.kind == Node::Kind::Index && moves(n.affine);
      if (n.kind == Node::Kind::Read) varies |= std::any_of(n.map.begin(), n.map.end(), moves);
      for (int a : n.args)
        varies |= !invariant[a];
      invariant.push_back(!varies);
    }
  }

  std::vector<int> factors; // nodes of the old body
  double constant = 1;
  Body rest;

  /// Puts what is left of the node into `rest`; its number there.
  int peel(int node) {
    const Node &n = body.nodes[node];
    if (n.kind == Node::Kind::Call && n.dtype == DType::F32) {
      if (n.fn == Fn::Mul) return peelProduct(n.args[0], n.args[1]);
      if (n.fn == Fn::Neg) return constant = -constant, peel(n.args[0]);
      if (n.fn == Fn::Add && n.args[0] == n.args[1]) return constant *= 2, peel(n.args[0]);
      if (n.fn == Fn::Select && isZero(n.args[2]) && !invariant[n.args[1]]) {
        const int condition = copy(n.args[0]), value = peel(n.args[1]);
        return rest.call(Fn::Select, condition, value, rest.constant(0));
      }
    }
    return copy(node);
  }

private:
  int peelProduct(int a, int b) {
    if (invariant[a] && invariant[b]) return rest.call(Fn::Mul, copy(a), copy(b));
    if (invariant[a]) return take(a), peel(b);
    if (invariant[b]) return take(b), peel(a);
    const int x = peel(a), y = peel(b);
    return rest.call(Fn::Mul, x, y);
  }
  void take(int node) {
    if (body.nodes[node].kind == Node::Kind::Const)
      constant *= body.nodes[node].value;
    else
      factors.push_back(node);
  }
  bool isZero(int node) const { return body.nodes[node].kind == Node::Kind::Const && body.nodes[node].value == 0; }
  int copy(int node) {
    return rest.copy(body, node, [](int p) { return Affine::var(p); });
  }

  const Body &body;
  std::vector<char> invariant;
};

/// Every dimension of the result is an index of its own, and the sum runs over the others.
bool plainSum(const Graph &g, const Formula &f) {
  if (f.op != Combine::Sum || f.clauses.size() != 1 || f.otherwise || g.tensors[f.target].dtype != DType::F32) return false;
  const Clause &c = f.clauses[0];
  if (c.reduction().empty() || c.reduction().size() + c.out.size() != c.domain.size()) return false;
  std::set<int> seen;
  for (std::size_t d = 0; d < c.out.size(); ++d) {
    int v = -1;
    if (!c.out[d].isVar(&v) || !seen.insert(v).second || !(c.domain[v].extent == g.tensors[f.target].shape[d])) return false;
  }
  return std::all_of(c.guards.begin(), c.guards.end(), [&](const Affine &guard) {
    return std::any_of(guard.terms().begin(), guard.terms().end(),
                       [&](const Affine::Term &t) { return !seen.count(t.first); });
  });
}

/// The product of the factors and the sum, over the result's indices.
Formula product(const Graph &g, const Formula &sum, const Splitter &split, int total) {
  const Clause &from = sum.clauses[0];
  Formula f;
  f.target = sum.target;
  f.location = sum.location;
  f.origin = sum.origin;
  Clause c;
  std::vector<int> place(from.domain.size(), -1);
  for (std::size_t d = 0; d < from.out.size(); ++d) {
    int v = -1;
    from.out[d].isVar(&v);
    place[v] = static_cast<int>(d);
    c.domain.push_back(from.domain[v]);
    c.out.push_back(Affine::var(static_cast<int>(d)));
  }
  int value = c.body.read(total, g.tensors[total].dtype, c.out);
  if (split.constant != 1) value = c.body.call(Fn::Mul, c.body.constant(split.constant), value);
  for (int node : split.factors) {
    const int factor =
        c.body.copy(from.body, node, [&](int p) { return place[p] < 0 ? Affine() : Affine::var(place[p]); });
    value = c.body.call(Fn::Mul, factor, value);
  }
  c.body.root = value;
  f.clauses.push_back(std::move(c));
  return f;
}

} // namespace

void factor(Graph &g) {
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    if (!plainSum(g, g.formulas[i])) continue;
    const Formula sum = g.formulas[i];
    Splitter split(sum.clauses[0]);
    const int root = split.peel(sum.clauses[0].body.root);
    if (split.factors.empty() && split.constant == 1) continue;
    graph::Tensor t = g.tensors[sum.target];
    t.name += ".total";
    t.kind = graph::TensorKind::Local;
    const int total = g.addTensor(t);
    Formula inner = sum;
    inner.target = total;
    inner.clauses[0].body = split.rest;
    inner.clauses[0].body.root = root;
    inner.clauses[0].body.compact();
    g.formulas[i] = product(g, sum, split, total);
    g.formulas.insert(g.formulas.begin() + static_cast<std::ptrdiff_t>(i), std::move(inner));
    ++i;
  }
}

} // namespace netc::passes
