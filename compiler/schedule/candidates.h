// What a tuner tries: other ways to run one leaf of a schedule.
#pragma once

#include "compiler/loop/loop.h"
#include "compiler/schedule/schedule.h"

namespace netc::schedule {

struct Candidate {
  Leaf leaf;
  double cost = 0;     // as the cost model has it: slots of the multiply-add units for each multiply-add
  loop::Kernel kernel; // optimized
};

/// The cheapest of the leaves that may stand in place of `s.run[group].leaves[leaf]` with everything else as it is, at most
/// `most`: other register tiles, parts of the data that stay in the caches, unrolled loops. The leaf itself is the first. Where
/// the model had no choice it is the only one. `lowered` is the entry of the program that was compiled from the schedule. That
/// checkMemory() accepts an entry with the candidates in it is the caller's to see.
std::vector<Candidate> candidates(const graph::Graph &, const Schedule &s, const Target &, const loop::Program &,
                                  const loop::Entry &lowered, std::size_t group, std::size_t leaf, std::size_t most);

/// Equal for leaves that run the same loops over memory that lies in the same way, so that one schedule suits all of them, as
/// for the layers of a network that has the same ones again and again. Empty where there is nothing to choose.
std::string likeness(const graph::Graph &, const Schedule &, std::size_t group, std::size_t leaf);

/// `leaf` run in the way of another one of equal likeness.
Leaf inTheWayOf(const Leaf &other, const Leaf &leaf);

} // namespace netc::schedule
