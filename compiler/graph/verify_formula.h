// The verifier's parts; each adds errors at the formula's location. The numbers are those of verifier.h.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

namespace netc::graph {

/// 4, 5, 10, 11: shapes and types of the clauses. Returns true when the next two may look at them.
bool verifyClauses(const Graph &, const Formula &, Diagnostics &);
/// 6: reads.
void verifyReads(const Graph &, const Formula &, Diagnostics &);
/// 7, 8, 9: writes in range, once, and everywhere.
void verifyWrites(const Graph &, const Formula &, Diagnostics &);

/// "formula of 'y'" or "clause 2 of 'y'" when there are several.
std::string placeName(const Graph &, const Formula &, std::size_t clause);

} // namespace netc::graph
