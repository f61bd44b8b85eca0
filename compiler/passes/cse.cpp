// Requires: nothing. Two formulas are the same when operation, shapes, maps, guards and bodies are; the names
// of tensors and indices, locations and origins do not count. One walk suffices, because a formula's reads
// have been redirected before it is compared. A formula whose whole body is what an earlier pointwise formula
// holds for the same point reads it there: a bias gradient sums the masked gradient that the weight gradient
// uses, not the mask again. A stop_gradient formula keeps to its own kind until differentiation is done.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

#include <algorithm>

namespace netc::passes {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

/// The body with its nodes in one order (depth first) and the reads redirected.
void normalize(Formula &f, const std::vector<int> &same) {
  for (Clause &c : f.clauses) {
    for (Node &n : c.body.nodes)
      if (n.kind == Node::Kind::Read) n.id = same[n.id];
    graph::Body ordered;
    ordered.root = ordered.copy(c.body, c.body.root);
    c.body = std::move(ordered);
  }
}

bool sameClause(const Clause &a, const Clause &b) {
  return sameDomain(a, b) && a.guards == b.guards && a.out == b.out && a.body == b.body;
}

bool sameFormula(const Graph &g, const Formula &a, const Formula &b) {
  const graph::Tensor &s = g.tensors[a.target];
  const graph::Tensor &t = g.tensors[b.target];
  return a.op == b.op && s.dtype == t.dtype && s.shape == t.shape && a.otherwise == b.otherwise &&
         a.accumulator == b.accumulator && stopsGradient(a) == stopsGradient(b) &&
         std::equal(a.clauses.begin(), a.clauses.end(), b.clauses.begin(), b.clauses.end(), sameClause);
}

/// Nothing but a number everywhere: a copy would be more work. Each state that becomes zero is written by its own.
bool isConstant(const Formula &f) {
  return std::all_of(f.clauses.begin(), f.clauses.end(),
                     [](const Clause &c) { return c.body.nodes[c.body.root].kind == Node::Kind::Const; });
}

bool isLeaf(const Clause &c) {
  return c.body.nodes[c.body.root].kind != Node::Kind::Call;
}

/// What others may read in place of computing the same.
bool holdsValues(const Graph &g, const Formula &f) {
  return g.tensors[f.target].dtype == DType::F32 && isPointwise(f) && !stopsGradient(f);
}

/// The formula combines, at each point, the value that `held` has there.
bool combinesValuesOf(const Formula &held, const Formula &f) {
  if (f.clauses.size() != 1) return false;
  const Clause &a = held.clauses[0], &b = f.clauses[0];
  return !isLeaf(b) && sameDomain(a, b) && a.body == b.body;
}

void readInstead(Formula &f, const Formula &held) {
  Clause &c = f.clauses[0];
  c.body = {};
  c.body.root = c.body.read(held.target, DType::F32, held.clauses[0].out);
}

} // namespace

void cse(Graph &g) {
  std::vector<int> same(g.tensors.size());
  for (std::size_t t = 0; t < same.size(); ++t)
    same[t] = static_cast<int>(t);
  const std::vector<char> wanted = gradientTensors(g); // these keep their own formulas
  std::vector<char> drop(g.formulas.size(), 0);
  std::vector<std::size_t> holding; // formulas
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    Formula &f = g.formulas[i];
    normalize(f, same);
    for (std::size_t j = 0; j < i && !wanted[f.target] && !drop[i] && !isConstant(f); ++j)
      if (!drop[j] && sameFormula(g, g.formulas[j], f)) {
        same[f.target] = g.formulas[j].target;
        drop[i] = 1;
      }
    if (drop[i]) continue;
    for (std::size_t j : holding)
      if (combinesValuesOf(g.formulas[j], f)) readInstead(f, g.formulas[j]);
    if (holdsValues(g, f)) holding.push_back(i);
  }
  for (graph::Result &r : g.results)
    r.tensor = same[r.tensor];
  for (graph::Next &n : g.next)
    n.value = same[n.value];
  dropFormulas(g, drop);
}

} // namespace netc::passes
