// `--emit=fusion`: what each kernel computes together, and the memory traffic that saves.
#pragma once

#include "compiler/schedule/schedule.h"

#include <string>

namespace netc::schedule {

/// Bytes at the planned batch, for one run of the entry. A formula alone would read every tensor that it reads and write
/// its result, each once.
std::string fusionText(const graph::Graph &, const Schedule &);

} // namespace netc::schedule
