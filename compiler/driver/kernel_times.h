// How long each kernel of an entry takes, one thread, in the order of a step.
#pragma once

#include "compiler/driver/compiled_model.h"

#include <cstdint>
#include <string>
#include <vector>

namespace netc::driver {

/// Seconds that this thread has run.
double threadSeconds();

struct KernelTime {
  std::string name, formula, schedule;
  double ms = 0;    // the best of all rounds
  double flops = 0; // two for each multiply-add that exists, padding excluded
  double bytes = 0; // of the tensors that it touches, each once

  double gflops() const { return ms > 0 ? flops / ms * 1e-6 : 0; }
};

struct KernelTimes {
  std::vector<KernelTime> kernels;
  double peak = 0; // GFLOP/s of one thread, the best of the samples between the kernels
};

/// Runs the entry's kernels for about `seconds`, on memory of its own and with all scalars that do not make the
/// store drift (a rate of zero). Kernels that run depth first alternate block by block, as in a step.
KernelTimes timeKernels(CompiledModel &, const std::string &entry, const void *const *inputs, double seconds);

} // namespace netc::driver
