// Removal of what no store needs; part of the pass cse.
#pragma once

#include "compiler/loop/loop.h"

namespace netc::loop {

/// Drops assignments that no store depends on, blocks that are empty then, and registers that nothing names.
void dropDeadRegisters(Kernel &);

} // namespace netc::loop
