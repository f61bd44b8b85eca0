// Sums of products of two tensors are nearly all the work of a network, so they have inner loops of their own: rows along
// one index that stands alone in the output, with the tensors copied so that these rows lie one after another in memory.
// What is added to an element, and in which order, is as everywhere in the evaluator, so the bits are, too.
#pragma once

#include "compiler/graph/evaluate_clause.h"

namespace netc::graph {

/// False: the formula is not such a sum, or too small for the copies to pay; then nothing has happened.
bool evaluateContraction(const ClauseContext &, std::vector<double> &result);

} // namespace netc::graph
