// The parser of expressions, shared by .graph bodies and the texts of the function and rule tables.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/lexer.h"

#include <functional>

namespace netc::graph {

/// Resolves a name (already consumed; "@" stands for itself) to a node, consuming what belongs to it, such as
/// "[...]" after a tensor. Returns -1 for a name that it does not know, having consumed nothing.
using AtomParser = std::function<int(TokenStream &, const Token &name)>;

/// comparison < + - < * / < unary minus < atoms and calls by table name; where(c, a, b) is select. A minus before
/// a literal makes a negative constant. Errors go to the stream's diagnostics; returns -1 after one.
int parseExpression(TokenStream &, Body &, const AtomParser &atom);

/// "2*i + u - 1" over the names that `variable` knows (-1: unknown).
Affine parseAffine(TokenStream &, const std::function<int(std::string_view)> &variable);

} // namespace netc::graph
