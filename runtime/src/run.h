// One call of an entry point: what is checked before it, and its stages over threads.
#pragma once

#include "netc/model.h"
#include "scalars.h"

namespace netc {

class ThreadPool;

/// Where the parts of a stage run: on the caller, our threads or the caller's executor.
struct Dispatch {
  std::size_t parts = 1;
  ThreadPool *pool = nullptr;
  const Executor *executor = nullptr;
};

/// Count, null pointers and class labels, all before anything is written.
Status checkCall(const NetcModel &, const NetcEntry &, const void *const *inputs, std::size_t count,
                 char *message);

/// The bytes of a loss or metric in a call's scratch memory, where they stand in the order of the results.
std::size_t scratchSize(const NetcResult &);

/// Output slots of a call: the caller's, or for losses and metrics a place in `scratch` of `scratchBytes`.
Status placeOutputs(const NetcEntry &, void *const *outputs, void **slots, unsigned char *scratch,
                    std::size_t scratchBytes, char *message);

/// scalars[i] of the entry; `rate`, if not null, replaces the learning rates ("lr", "lr.2", ...).
void evaluateScalars(const NetcEntry &, const ScalarInputs &, const float *rate, float *scalars);

/// Runs the stages from <= i < to, in order, on every thread with round-to-nearest, FTZ and DAZ.
void runStages(const NetcEntry &, std::int64_t from, std::int64_t to, const NetcFrame &, const Dispatch &);

} // namespace netc
