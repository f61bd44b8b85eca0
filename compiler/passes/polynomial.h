// Sums of products, taken apart through names, to see what is equal to what for every count.
#pragma once

#include "compiler/passes/names.h"

#include <functional>
#include <optional>
#include <vector>

namespace netc::passes {

/// constant * scalars / divisors * above / below: numbers of run-time scalars, and nodes, each list sorted.
struct Monomial {
  double constant = 1;
  std::vector<int> scalars, divisors;
  std::vector<int> above, below;
};
using Polynomial = std::vector<Monomial>;

/// The node as a sum of products, names of pointwise formulas opened (b grows by what they stand for); none when
/// there are too many terms.
std::optional<Polynomial> expand(const Names &, graph::Body &b, int node);

/// The constants and scalars of a term, for a count; NaN where that depends on more (a rate).
double coefficient(const graph::Graph &, const Monomial &, double count);

/// All terms cancel, for every count of the graph, but for the rounding of their constants.
bool isZero(const graph::Graph &, const Polynomial &);

/// a(count) == b(count) for every count of the graph, but for rounding.
bool equalForEveryCount(const graph::Graph &, const std::function<double(double)> &a,
                        const std::function<double(double)> &b);

} // namespace netc::passes
