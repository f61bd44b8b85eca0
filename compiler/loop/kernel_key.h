// What tells two kernels apart when their buffers may lie elsewhere and the scalars that they read may be others: the blocks of
// a residual network have much in common, and so have the forward passes of several entries.
#pragma once

#include "compiler/loop/loop.h"

namespace netc::loop {

/// Kernels with equal words do the same, each with its own buffers and scalars. Names are left out, and so is how often the
/// kernel runs.
struct KernelKey {
  std::string words;
  std::vector<int> variables, registers, buffers, scalars; // those used, in order of first use
};
KernelKey keyOf(const Entry &, const Kernel &);

} // namespace netc::loop
