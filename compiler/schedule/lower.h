// Lowering: graph + schedule -> loops. A pure function: every choice stands in the schedule.
#pragma once

#include "compiler/loop/loop.h"
#include "compiler/schedule/fit_memory.h"

namespace netc::schedule {

/// Loops before any loop pass. `store` gives the byte offset of each param and state by name. Throws
/// Misfit when the schedule does not fit the graph (an unknown formula, a missing index, an order that the
/// numeric plan forbids).
loop::Entry lower(const graph::Graph &, const Schedule &, const std::map<std::string, std::int64_t> &store);

/// The kernel, before any loop pass, of a leaf that stands in that group of the schedule, or might. Throws Misfit.
loop::Kernel lowerLeaf(const graph::Graph &, const Schedule &, const std::map<std::string, std::int64_t> &store, std::size_t group,
                       const Leaf &);

/// The module's interface: names, shapes, store layout; no entries yet.
loop::Program programInterface(const graph::Module &, const std::string &target);
std::map<std::string, std::int64_t> storeOffsets(const loop::Program &);

/// The schedule of each entry, in order: the given ones, and plans for the others. Entries must be prepared, and fit the
/// limit.
std::vector<Schedule> planAll(const graph::Module &, const Target &, const std::vector<Schedule> &given = {});

/// Plans (unless `schedules` has the entry), lowers and cleans up (loop::pipeline) every entry. Entries must be prepared.
/// `optimize` false leaves the loops as lowered.
loop::Program compile(graph::Module, const Target &, const std::vector<Schedule> &schedules = {}, bool optimize = true,
                      const MemoryLimit & = {});

/// Independent of the planner: workspace buffers that share bytes must not be live at the same time, judged
/// by the accesses in the lowered kernels; but one may take the place of another element by element, in the kernel that
/// reads the other for the last time. Returns the violations, each at the place of its buffer.
struct MemoryViolation {
  Location at;
  std::string what;
};
std::vector<MemoryViolation> checkMemory(const loop::Entry &, std::int64_t batch);

} // namespace netc::schedule
