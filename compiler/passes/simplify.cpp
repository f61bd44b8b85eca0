// Requires: nothing. Each body goes to the rules' fixed point; then guards that always hold are dropped, and
// a sum whose points hit every element exactly once becomes an assignment.
#include "compiler/passes/fold.h"
#include "compiler/passes/match.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"
#include "compiler/passes/rules.h"
#include "compiler/support/in_parallel.h"

#include <algorithm>

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

constexpr std::size_t formulasOfThread = 64; // fewer are simplified before a thread has started
constexpr int maxRounds = 200; // of one body; the measure bounds them far below, so more is a bug

class BodySimplifier {
 public:
  BodySimplifier(const Graph &graph) : g(graph) {}

  Body run(Body b) const {
    b.compact();
    for (int round = 0; round < maxRounds; ++round) {
      bool changed = false;
      b = rebuilt(std::move(b), [&](Body &next, int n) {
        const int better = rewritten(next, n);
        changed |= better != n;
        return better;
      });
      if (!changed) return b;
    }
    internalError("simplify did not reach a fixed point");
  }

 private:
  int rewritten(Body &b, int n) const {
    if (b.nodes[n].kind != Node::Kind::Call) return n;
    if (int folded = foldCall(b, n); folded != n) return folded;
    // As written first, so that operands keep their order where a rule allows it.
    for (bool commute : {false, true})
      for (const ParsedRule *rule : rules[static_cast<std::size_t>(b.nodes[n].fn)])
        if (int better = applied(*rule, b, n, commute); better >= 0) return better;
    return n;
  }

  int applied(const ParsedRule &rule, Body &b, int n, bool commute) const {
    RuleUse use{commute, {}, {}};
    if (rule.text->holds == Holds::IfStored)
      use.holds = [&](const Bindings &found) { return isStored(b, found); };
    return apply(rule, b, n, use);
  }

  bool isStored(const Body &b, const Bindings &bound) const {
    const Node &x = b.nodes[bound.of(letterId('x'))];
    return x.kind == Node::Kind::Read && g.tensors[x.id].inStore();
  }

  const Graph &g;
  const RulesByRoot rules = rulesExcept(Scope::Names);
};

void dropTrueGuards(Clause &c) {
  std::erase_if(c.guards, [&](const Affine &g) { return rangeOver(c.domain, g).min >= 0; });
}

/// Reduction indices of extent 1 are 0. (Ordinals of argmax do not change: their radix is 1.)
void dropUnitReductions(Clause &c) {
  std::vector<Affine> moved(c.domain.size());
  std::vector<graph::Index> domain;
  const std::vector<int> free = c.reduction();
  for (int p = 0; p < static_cast<int>(c.domain.size()); ++p) {
    const graph::Extent &e = c.domain[p].extent;
    if (e.size == 1 && !e.batch && std::find(free.begin(), free.end(), p) != free.end()) continue;
    moved[p] = Affine::var(static_cast<int>(domain.size()));
    domain.push_back(c.domain[p]);
  }
  if (domain.size() < c.domain.size()) c = overDomain(c, std::move(domain), [&](int p) { return moved[p]; });
}

/// A sum of exactly one point for every element.
bool isAssignment(const Graph &g, const Formula &f) {
  if (f.op != Combine::Sum || f.clauses.size() != 1 || !f.clauses[0].guards.empty()) return false;
  const Clause &c = f.clauses[0];
  if (!isInjective(c.domain, c.out)) return false;
  std::int64_t points = 1, elements = 1;
  for (const graph::Index &i : c.domain)
    points *= i.extent.size;
  for (const graph::Extent &e : g.tensors[f.target].shape)
    elements *= e.size;
  return points == elements && c.reduction().empty();
}

/// out[j, i] over i, j becomes out[j, i] over j, i, when every dimension is a plain index.
void orderAsOutput(Formula &f) {
  if (f.op != Combine::Assign) return;
  for (Clause &c : f.clauses) {
    std::vector<int> position(c.domain.size(), -1); // old -> new
    std::vector<graph::Index> domain;
    bool plain = c.out.size() == c.domain.size();
    for (std::size_t d = 0; plain && d < c.out.size(); ++d) {
      int v = -1;
      plain = c.out[d].isVar(&v) && position[v] < 0;
      if (!plain) break;
      position[v] = static_cast<int>(d);
      domain.push_back(c.domain[v]);
    }
    if (plain && !isIdentity(c.out, c.domain.size()))
      c = overDomain(c, std::move(domain), [&](int p) { return Affine::var(position[p]); });
  }
}

} // namespace

Body simplified(const Graph &g, Body b) {
  return BodySimplifier(g).run(std::move(b));
}

void simplify(Graph &g) {
  const BodySimplifier bodies(g);
  const auto simplifyFormula = [&](std::size_t i) {
    Formula &f = g.formulas[i];
    for (Clause &c : f.clauses) {
      c.body = bodies.run(std::move(c.body));
      dropTrueGuards(c);
      dropUnitReductions(c);
    }
    if (isAssignment(g, f)) f.op = Combine::Assign;
    orderAsOutput(f);
  };
  onAllProcessors(g.formulas.size(), simplifyFormula, formulasOfThread);
}

} // namespace netc::passes
