// Bodies as text: the one spelling of expressions in .graph files, messages and comments.
#pragma once

#include "compiler/graph/graph.h"

#include <string>
#include <vector>

namespace netc::graph {

/// The text of node n. Where `names[m]` is not empty, node m (other than n) prints as that name (a let).
std::string expressionText(const Graph &, const Clause &, int n, const std::vector<std::string> &names = {});

/// A number that parses to the same double: "0.1", "-0", "inf", "nan".
std::string numberText(double);

/// How tightly a binary operator binds (1 logic, 2 comparisons, 3 sums, 4 products); 0: not an infix operator.
int precedence(std::string_view symbol);
/// The function of two arguments that is written with this infix symbol.
std::optional<Fn> findInfix(std::string_view symbol);

} // namespace netc::graph
