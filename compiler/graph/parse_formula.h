// The clauses of one formula, from the tokens between its braces.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/lexer.h"

namespace netc::graph {

/// `tokens` ends with the closing brace. All tensors that may be read are in `g` already, defined or not.
void parseClauses(const Graph &g, Formula &, const std::vector<Token> &tokens, Diagnostics &, NamesInError &);

std::string unknownTensor(const Graph &, const std::string &name);

/// "N" or a number.
Extent parseExtent(TokenStream &, std::int64_t batch);

} // namespace netc::graph
