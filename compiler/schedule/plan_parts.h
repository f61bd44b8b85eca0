// What the parts of the planner share. Internal to the cost model.
#pragma once

#include "compiler/schedule/nest.h"
#include "compiler/schedule/plan.h"

namespace netc::schedule {

/// The position that runs along the 16 lanes: the batch index wherever it can, otherwise the index that is
/// contiguous in most operands; -1: none.
int chooseVector(const Nest &);

/// Layout and kind of place of every Local, without offsets: batch tensors are blocked, results are the
/// caller's, next values take the place of their state.
std::map<std::string, Placement> batchLayouts(const graph::Graph &);

/// The register tile, unrolling and parallel index of one clause.
void chooseTile(const Nest &, const Target &, Leaf &);

} // namespace netc::schedule
