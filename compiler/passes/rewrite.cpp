#include "compiler/passes/rewrite.h"

#include <algorithm>
#include <cstdlib>

namespace netc::passes {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Index;
using graph::Node;

std::vector<char> gradientTensors(const Graph &g) {
  std::vector<char> wanted(g.tensors.size(), 0);
  for (const graph::Tensor &t : g.tensors)
    if (t.kind == graph::TensorKind::Gradient) wanted[t.of] = 1;
  return wanted;
}

bool stopsGradient(const Formula &f) {
  return f.origin == "stop_gradient";
}

std::vector<char> pinnedTensors(const Graph &g) {
  std::vector<char> pinned = gradientTensors(g);
  for (const graph::Result &r : g.results)
    pinned[r.tensor] = 1;
  for (const graph::Next &n : g.next)
    pinned[n.value] = 1;
  return pinned;
}

bool isIdentity(const std::vector<Affine> &map, std::size_t domainSize) {
  if (map.size() != domainSize) return false;
  for (std::size_t d = 0; d < map.size(); ++d)
    if (int v; !map[d].isVar(&v) || v != static_cast<int>(d)) return false;
  return true;
}

bool sameDomain(const Clause &a, const Clause &b) {
  auto sameExtent = [](const Index &x, const Index &y) { return x.extent == y.extent; };
  return std::equal(a.domain.begin(), a.domain.end(), b.domain.begin(), b.domain.end(), sameExtent);
}

Interval rangeOver(const std::vector<Index> &domain, const Affine &a) {
  return a.range([&](int v) { return Interval{0, domain[v].extent.size - 1}; });
}

bool isInjective(const std::vector<Index> &domain, const std::vector<Affine> &map) {
  std::vector<char> used(domain.size(), 0);
  for (const Affine &a : map) {
    std::vector<Affine::Term> digits;
    for (const Affine::Term &term : a.terms()) {
      if (domain[term.first].extent.size == 1) continue;
      if (used[term.first]++) return false;
      digits.push_back(term);
    }
    std::sort(digits.begin(), digits.end(),
              [](const auto &x, const auto &y) { return std::abs(x.second) < std::abs(y.second); });
    std::int64_t below = 0; // the largest distance that the smaller digits reach
    for (auto &[v, k] : digits) {
      if (std::abs(k) <= below) return false;
      below += std::abs(k) * (domain[v].extent.size - 1);
    }
  }
  return true;
}

std::string freshName(const std::vector<Index> &domain, std::string base) {
  auto taken = [&](const std::string &name) {
    return std::any_of(domain.begin(), domain.end(), [&](const Index &i) { return i.name == name; });
  };
  std::string name = base;
  for (int k = 2; taken(name); ++k)
    name = base + std::to_string(k);
  return name;
}

Clause overDomain(const Clause &c, std::vector<Index> domain, const std::function<Affine(int)> &subst) {
  Clause r;
  r.domain = std::move(domain);
  for (const Affine &g : c.guards)
    r.guards.push_back(g.substitute(subst));
  for (const Affine &o : c.out)
    r.out.push_back(o.substitute(subst));
  r.body.root = r.body.copy(c.body, c.body.root, subst);
  return r;
}

bool isPointwise(const Formula &f) {
  return f.op == graph::Combine::Assign && f.clauses.size() == 1 && !f.otherwise &&
         f.clauses[0].guards.empty() && isIdentity(f.clauses[0].out, f.clauses[0].domain.size());
}

} // namespace netc::passes
