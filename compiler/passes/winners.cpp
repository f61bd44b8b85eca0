// Requires: `cse`, so that one argmax names the winner, and `mergeScatter`, which brings what reads the compared values
// under the test for it. Where `argmax T == point` holds, T at that point is the maximum; reading that instead needs no
// T any more, and reads one element for each window.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"
#include "compiler/support/division.h"

#include <algorithm>

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

/// An ordinal as the values of the reduction indices; none where its terms are not their digits.
std::optional<std::vector<Affine>> pointOf(const Clause &over, Affine ordinal, const std::vector<graph::Index> &domain) {
  std::vector<Affine> values(over.domain.size());
  std::int64_t weight = 1;
  for (int p : over.reduction())
    weight *= over.domain[p].extent.size;
  for (int p : over.reduction()) {
    const std::int64_t extent = over.domain[p].extent.size;
    weight /= extent;
    Affine digit(floorDivide(ordinal.constant(), weight));
    for (auto &[v, k] : ordinal.terms())
      if (k % weight == 0) digit += Affine::var(v, k / weight);
    ordinal = ordinal - digit * weight;
    const Interval range = rangeOver(domain, digit);
    if (range.min < 0 || range.max >= extent) return std::nullopt;
    values[p] = digit;
  }
  return values;
}

/// max T or min T by its ordinals: the tensor of the values, over the same windows.
struct Windows {
  const Formula *ordinals = nullptr;
  int values = -1; // the maximum
  Node compared;   // the read of T
};

class WinnerReads {
 public:
  explicit WinnerReads(Graph &g) : g(g) {}

  void run() {
    for (seen = 0; seen < g.formulas.size(); ++seen)
      for (Clause &c : g.formulas[seen].clauses)
        if (g.formulas[seen].op == Combine::Assign) c.body = through(c, c.body);
  }

 private:
  Body through(const Clause &c, const Body &from) {
    Body to;
    to.root = node(c, from, from.root, to, {});
    return to;
  }

  /// Copies node n; `same` are the reads that are known to be another one here.
  using Known = std::vector<std::pair<Node, Node>>;
  int node(const Clause &c, const Body &from, int n, Body &to, const Known &same) {
    Node copy = from.nodes[n];
    for (auto &[read, instead] : same)
      if (copy.kind == Node::Kind::Read && copy.id == read.id && copy.map == read.map) return to.add(instead);
    Known inBranch = same;
    if (copy.kind == Node::Kind::Call && copy.fn == Fn::Select)
      if (auto known = winner(c, from, copy.args[0])) inBranch.push_back(*known);
    for (std::size_t i = 0; i < copy.args.size(); ++i)
      copy.args[i] = node(c, from, copy.args[i], to, i == 1 ? inBranch : same);
    return to.add(std::move(copy));
  }

  /// What the condition `ordinals[...] == index(point)` says of a read.
  std::optional<std::pair<Node, Node>> winner(const Clause &c, const Body &b, int condition) const {
    const Node &test = b.nodes[condition];
    if (test.kind != Node::Kind::Call || test.fn != Fn::Eq) return std::nullopt;
    for (int side : {0, 1}) {
      const Node &read = b.nodes[test.args[side]], &index = b.nodes[test.args[1 - side]];
      if (read.kind != Node::Kind::Read || index.kind != Node::Kind::Index) continue;
      const std::optional<Windows> w = windows(read.id);
      if (!w) continue;
      const Clause &over = w->ordinals->clauses[0];
      std::optional<std::vector<Affine>> at = pointOf(over, index.affine, c.domain);
      if (!at) continue;
      for (std::size_t d = 0; d < over.out.size(); ++d)
        (*at)[over.out[d].terms()[0].first] = read.map[d];
      Node compared = w->compared, value = read;
      for (Affine &a : compared.map)
        a = a.substitute([&](int p) { return (*at)[p]; });
      value.id = w->values;
      value.dtype = compared.dtype;
      return std::pair{compared, value};
    }
    return std::nullopt;
  }

  std::optional<Windows> windows(int tensor) const {
    const Formula *ordinals = g.definition(tensor);
    if (!ordinals || !givesOrdinals(ordinals->op)) return std::nullopt;
    const Clause &c = ordinals->clauses[0];
    if (c.body.nodes[c.body.root].kind != Node::Kind::Read || !c.guards.empty()) return std::nullopt;
    for (const Affine &a : c.out)
      if (int v; !a.isVar(&v)) return std::nullopt;
    const Combine extremum = ordinals->op == Combine::ArgMax ? Combine::Max : Combine::Min;
    for (std::size_t i = 0; i < seen; ++i) {
      const Formula &f = g.formulas[i];
      if (f.op == extremum && f.clauses.size() == 1 && sameDomain(f.clauses[0], c) && f.clauses[0].guards.empty() &&
          f.clauses[0].out == c.out && f.clauses[0].body == c.body)
        return Windows{ordinals, f.target, c.body.nodes[c.body.root]};
    }
    return std::nullopt;
  }

  Graph &g;
  std::size_t seen = 0; // formulas before the one that is rewritten
};

} // namespace

void winners(Graph &g) {
  WinnerReads(g).run();
}

} // namespace netc::passes
