// Prediction of one sample, with a schedule of its own: where samples lie side by side, one costs as much as 16.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/loop/loop.h"

namespace netc::schedule {

/// What follows "predict" in the entries of a module, for one sample whatever the batch; the runtime knows the name.
inline constexpr const char *oneSampleEntry = "predictOne";

/// Appends the entry "predictOne", which is "predict" planned for a batch of one, where the module's batch is larger than what
/// is planned sample by sample anyway, and every sample's outputs depend on that sample alone.
void addOneSample(graph::Module &);

/// An entry that was lowered from that graph stands in a program whose batch is larger: its loops no longer depend on the
/// count, and its inputs and outputs are the first of the batch.
void settleOneSample(loop::Entry &, const graph::Graph &, std::int64_t batch);

} // namespace netc::schedule
