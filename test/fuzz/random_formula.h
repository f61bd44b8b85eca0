// One random formula: its domain grows from the maps of the tensors that it reads.
#pragma once

#include "compiler/graph/graph.h"
#include "test/fuzz/random.h"

namespace netc::fuzz {

/// The run-time scalars of an entry, by number.
enum Scalars { rate, keyLow, keyHigh };

/// Adds a formula named `name` to the graph; false (and no change) when the dice made an invalid or too large one.
bool addRandomFormula(graph::Graph &, const std::string &name, Random &);

/// A scalar expression over the reads, of bounded size, with functions of the table; its values stay moderate.
int randomExpression(graph::Body &, const std::vector<int> &reads, int depth, int domainRank, Random &);

} // namespace netc::fuzz
