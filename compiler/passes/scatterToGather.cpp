// Requires: nothing. A sum whose result map adds several indices in one dimension,
//
//   dx[s*i + u] += body(i, u)                                scatter: neighbouring points meet
//
// becomes, for each residue r of u modulo s (a phase: u = s*t + r, so s*i + u = s*(i + t) + r),
//
//   dx[s*q + r] += body(q - t, s*t + r) where 0 <= q - t < I  gather: q = i + t is an index of the result
//
// Elements that no phase reaches (a kernel smaller than the stride) are sums of no points: 0. Maps that are
// injective in the dimension (flatten, a pool whose windows do not overlap) need no rewrite and stay.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"
#include "compiler/support/division.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <optional>

namespace netc::passes {

using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Index;

namespace {

/// How one dimension is rewritten: `solved` is i, its coefficient is s.
struct Plan {
  int dimension, solved;
  std::int64_t stride;
  struct Other {
    int position;
    std::int64_t coefficient, modulus; // u = modulus*t + r
  };
  std::vector<Other> others;
};

/// `p` is used by dimension d alone.
bool onlyIn(const Clause &c, int p, std::size_t d) {
  for (std::size_t e = 0; e < c.out.size(); ++e)
    if (e != d && c.out[e].uses(p)) return false;
  return true;
}

Plan planFor(const Clause &c, std::size_t d, int solved) {
  Plan plan{static_cast<int>(d), solved, c.out[d].coefficient(solved), {}};
  for (auto &[v, k] : c.out[d].terms())
    if (v != solved) plan.others.push_back({v, k, std::abs(plan.stride) / std::gcd(plan.stride, k)});
  return plan;
}

/// The clauses of different residues hit different elements: at most one index has residues to choose. (Its
/// coefficient and the stride, divided by their common divisor, are coprime, so its residues do not meet.)
bool phasesAreDisjoint(const Plan &plan) {
  return std::count_if(plan.others.begin(), plan.others.end(), [](const auto &o) { return o.modulus > 1; }) <=
         1;
}

/// Solving for the index of the largest extent keeps the reductions short: the kernel's indices remain.
std::optional<Plan> choosePlan(const Clause &c, std::size_t d) {
  std::optional<Plan> best;
  for (auto &[v, k] : c.out[d].terms()) {
    if (!onlyIn(c, v, d) || c.domain[v].extent.batch) continue;
    Plan plan = planFor(c, d, v);
    if (!phasesAreDisjoint(plan)) continue;
    if (!best || c.domain[v].extent.size > c.domain[best->solved].extent.size) best = std::move(plan);
  }
  return best;
}

/// Several points may meet in this dimension. Indices that another dimension already tells do not count.
bool needsGather(const Clause &c, std::size_t d) {
  Affine unknown = c.out[d];
  for (std::size_t e = 0; e < c.out.size(); ++e)
    if (int v; e != d && c.out[e].isVar(&v)) unknown = unknown.substitute(v, 0);
  return !isInjective(c.domain, {unknown});
}

/// The result's index is named as in the lecture, by its place counted from the right: ..., h, w.
std::string resultIndexName(const Clause &c, std::size_t d) {
  static constexpr std::array<const char *, 3> names = {"w", "h", "z"};
  const std::size_t fromRight = c.out.size() - 1 - d;
  return freshName(c.domain,
                   c.out.size() < 2 ? "h" : names[std::min<std::size_t>(fromRight, names.size() - 1)]);
}

/// One phase: the others' residues are given. None when it has no points.
std::optional<Clause> phase(const Clause &c, const Plan &plan, const std::vector<std::int64_t> &residues,
                            std::int64_t size) {
  const std::int64_t s = plan.stride;
  std::vector<Index> domain = c.domain;
  std::vector<Affine> moved;
  for (int p = 0; p < static_cast<int>(domain.size()); ++p)
    moved.push_back(Affine::var(p));
  Affine sumOfOthers;                                       // q = i + sumOfOthers
  std::int64_t constant = c.out[plan.dimension].constant(); // out = s*q + constant
  for (std::size_t k = 0; k < plan.others.size(); ++k) {
    const auto &[p, coefficient, modulus] = plan.others[k];
    domain[p].extent.size = ceilDivide(domain[p].extent.size - residues[k], modulus);
    if (domain[p].extent.size <= 0) return std::nullopt;
    moved[p] = Affine::var(p, modulus) + residues[k];
    sumOfOthers += Affine::var(p, coefficient * modulus / s);
    constant += coefficient * residues[k];
  }
  // q runs over what i + sumOfOthers reaches, as far as the result reaches.
  const std::int64_t last = c.domain[plan.solved].extent.size - 1;
  const Interval reach = rangeOver(domain, sumOfOthers);
  const std::int64_t bound0 = -constant, bound1 = size - 1 - constant; // of s*q
  const std::int64_t low = std::max(reach.min, s > 0 ? ceilDivide(bound0, s) : ceilDivide(bound1, s));
  const std::int64_t high =
      std::min(reach.max + last, s > 0 ? floorDivide(bound1, s) : floorDivide(bound0, s));
  if (high < low) return std::nullopt;
  domain[plan.solved] = {resultIndexName(c, plan.dimension), {high - low + 1, false}};
  const Affine i = Affine::var(plan.solved) + low - sumOfOthers;
  moved[plan.solved] = i;
  Clause gathered = overDomain(c, domain, [&](int p) { return moved[p]; });
  for (const Affine &guard : {i, Affine(last) - i})
    if (rangeOver(domain, guard).min < 0) gathered.guards.push_back(guard);
  return gathered;
}

/// All phases of one dimension.
std::vector<Clause> gather(const Clause &c, const Plan &plan, std::int64_t size) {
  std::vector<Clause> phases;
  std::vector<std::int64_t> residues(plan.others.size(), 0);
  for (;;) {
    if (auto p = phase(c, plan, residues, size)) phases.push_back(std::move(*p));
    std::size_t k = 0;
    while (k < residues.size() && ++residues[k] == plan.others[k].modulus)
      residues[k++] = 0;
    if (k == residues.size()) return phases;
  }
}

/// Dimension by dimension; what cannot be rewritten stays as it is.
std::vector<Clause> gatherAll(const Clause &c, const graph::Tensor &target) {
  std::vector<Clause> clauses = {c};
  for (std::size_t d = 0; d < c.out.size(); ++d) {
    std::vector<Clause> next;
    for (const Clause &clause : clauses) {
      const auto plan = needsGather(clause, d) ? choosePlan(clause, d) : std::nullopt;
      if (!plan)
        next.push_back(clause);
      else
        for (Clause &p : gather(clause, *plan, target.shape[d].size))
          next.push_back(std::move(p));
    }
    clauses = std::move(next);
  }
  return clauses;
}

} // namespace

void scatterToGather(Graph &g) {
  for (Formula &f : g.formulas) {
    if (f.op != Combine::Sum) continue;
    std::vector<Clause> clauses;
    for (const Clause &c : f.clauses)
      for (Clause &p : gatherAll(c, g.tensors[f.target]))
        clauses.push_back(std::move(p));
    if (!clauses.empty()) f.clauses = std::move(clauses);
  }
}

} // namespace netc::passes
