// What the graph passes share: questions about formulas, and edits that keep a graph consistent.
#pragma once

#include "compiler/graph/graph.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace netc::passes {

/// By tensor: something outside the formulas refers to it (a result, a store update, a gradient asked for).
std::vector<char> pinnedTensors(const graph::Graph &);

/// By tensor: its gradient is asked for, so every use of it must stay a use of it.
std::vector<char> gradientTensors(const graph::Graph &);

/// A stop_gradient formula before differentiation, which gives it another origin.
bool stopsGradient(const graph::Formula &);

/// out[d] is domain index d for every d, and there are no others.
bool isIdentity(const std::vector<Affine> &map, std::size_t domainSize);

/// The extents of two clauses' domains agree, position by position.
bool sameDomain(const graph::Clause &, const graph::Clause &);

/// The range of an affine expression over the clause's domain box.
Interval rangeOver(const std::vector<graph::Index> &domain, const Affine &);

/// Different points of the domain (of the indices that the map uses) hit different elements: each index
/// stands in one dimension only, and there the terms are the digits of a mixed-radix number. Sufficient, not
/// necessary.
bool isInjective(const std::vector<graph::Index> &domain, const std::vector<Affine> &map);

/// `base`, or base2, base3, ...: a name that no index of the domain has.
std::string freshName(const std::vector<graph::Index> &domain, std::string base);

/// The clause over a new domain, each old position replaced by an affine expression over the new one.
graph::Clause overDomain(const graph::Clause &, std::vector<graph::Index> domain,
                         const std::function<Affine(int)> &subst);

/// The body at the fixed point of the rules (simplify).
graph::Body simplified(const graph::Graph &, graph::Body);

/// Pointwise: one clause, assign, every element written by the point of its own number, nothing else.
bool isPointwise(const graph::Formula &);

} // namespace netc::passes
