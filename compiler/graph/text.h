// The text form of the graph IR (grammar in graph.h): printer and parser. print(parse(print(m))) == print(m).
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

#include <functional>

namespace netc::graph {

std::string print(const Module &);
std::string str(const Tensor &);      // "conv1.weight: f32[6, 1, 5, 5]"
std::string str(const Initializer &); // as in .net files
std::string print(const Graph &, const Formula &); // one formula, for comments and debugging

/// Parses a .graph file; errors go to diagnostics. The result is not verified.
Module parse(const std::string &text, const std::string &fileName, Diagnostics &);

/// Parses one scalar expression into `body`: functions by name or infix symbol, numbers, and the names that
/// `atom` resolves to nodes (returns -1: unknown). `let x = e; y = f; result` introduces local names.
/// For the texts of the function table (derivatives, expansions) and of rewrite rules. Throws InternalError.
int parseExpression(std::string_view text, Body &, const std::function<int(std::string_view)> &atom);

} // namespace netc::graph
