// The cost model: writes a schedule for a graph and a target. It looks at index maps, never at names of
// layers.
#pragma once

#include "compiler/schedule/schedule.h"

namespace netc::schedule {

/// Requires a graph that went through passes::completePipeline and prepare().
Schedule plan(const graph::Graph &, const Target &);

/// Makes every result of the step a formula of its own kind: a `next` whose value is not a Local of its own,
/// or serves two states, gets a copy. Keeps values, up to rounding where convolutions take another algorithm (winograd.cpp).
/// Call before plan() and lower().
void prepare(graph::Graph &, bool winograd4);
/// All entries, and prediction of one sample (one_sample.h) beside them.
void prepare(graph::Module &);

/// The layouts of a prepared graph and what the model says of each contraction, for people (`--emit=layouts`).
std::string layoutsText(const graph::Graph &);

/// The parts of plan(), in order. Each fills its section of the schedule.
std::vector<Numeric> planNumeric(const graph::Graph &);
void planRun(const graph::Graph &, const Target &, Schedule &);             // order, groups, leaves, fusion
void planMemory(const graph::Graph &, Schedule &);             // placements

} // namespace netc::schedule
