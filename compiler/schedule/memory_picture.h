// `--emit=memory`: the workspace of each entry as a picture.
#pragma once

#include "compiler/schedule/schedule.h"

#include <string>

namespace netc::schedule {

/// An SVG: kernels from left to right, offsets upward, a rectangle for each tensor from the kernel that makes it to the
/// last that reads it. Text says what is needed, and what the liveness in this order of kernels allows.
std::string memoryPicture(const graph::Module &, const std::vector<Schedule> &);

} // namespace netc::schedule
