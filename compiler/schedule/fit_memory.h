// `--max-memory`: values are computed again rather than kept.
#pragma once

#include "compiler/schedule/schedule.h"

namespace netc::schedule {

struct MemoryLimit {
  std::int64_t most = 0;    // bytes; 0: no limit
  std::int64_t outside = 0; // of them for parameters, states and what else is not in the workspace
};

/// Has pointwise values and copies computed again, right before they are needed again, until the memory of each entry is
/// within the limit. The numeric plan stays as it is, and so do all bits. Throws Misfit, at the formula at which most is
/// alive, with the least memory that is enough (to 1 %) and what is alive then. Entries must be prepared.
void fitMemory(graph::Module &, const Target &, const MemoryLimit &);

/// A formula that fitMemory added: it runs as late as it can.
bool isRecomputed(const graph::Formula &);

} // namespace netc::schedule
