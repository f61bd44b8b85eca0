// The kernels of an entry as a picture.
#pragma once

#include "compiler/schedule/schedule.h"

namespace netc::schedule {

/// In the language of graphviz: a box a kernel with the formulas that are fused in it and the shapes of their results,
/// forward in blue, backward in orange, updates in green; edges carry the tensors' bytes at the planned batch.
std::string dot(const graph::Graph &prepared, const Schedule &);

} // namespace netc::schedule
