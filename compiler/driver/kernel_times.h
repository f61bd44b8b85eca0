// How long each kernel of an entry takes, one thread, in the order of a step.
#pragma once

#include "compiler/driver/compiled_model.h"

#include "netc/abi.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace netc::driver {

/// Measures work of one thread. What takes less than 2 ms is seldom interrupted, and a virtual machine may account for too
/// little of it: the clock on the wall tells, less what it shows of nothing; of what takes longer, only the time that the
/// thread runs.
class Stopwatch {
 public:
  Stopwatch();
  double seconds() const;

 private:
  const double used; // by the thread; asked before the clock starts, since the answer takes as long as a small kernel
  const std::chrono::steady_clock::time_point begin;
};

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

/// Runs the kernels of an entry one after the other, as a step does but on one thread, on memory of its own and with all
/// scalars that do not make the store drift (a rate of zero). Now and then it samples the peak in between.
class KernelClock {
public:
  KernelClock(CompiledModel &, const std::string &entry, const void *const *inputs);
  ~KernelClock();

  /// The entry's, as it was compiled.
  const std::vector<NetcStage> &stages() const;
  /// Seconds that each takes. Those that run depth first alternate block by block.
  std::vector<double> run(const std::vector<NetcStage> &);
  double peak() const; // GFLOP/s of one thread, the best of the samples so far

private:
  struct State;
  std::unique_ptr<State> state;
};

/// Of about so many seconds of running.
KernelTimes timeKernels(CompiledModel &, const std::string &entry, const void *const *inputs, double seconds);

} // namespace netc::driver
