// One call of an entry point: what is checked before it, and its stages over threads.
#pragma once

#include "netc/model.h"
#include "scalars.h"

namespace netc {

/// Where the parts of a stage run: more than one by the executor.
struct Dispatch {
  std::size_t parts = 1;
  Executor executor;
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

/// The entry that predicts one sample, of an entry that predicts; null if there is none.
const NetcEntry *forOneSample(const NetcModel &, const NetcTarget &, const NetcEntry &);

/// The pointers of a call for sample i alone.
struct OneSample {
  static constexpr std::size_t maxInputs = 32;
  OneSample(const NetcModel &, const NetcEntry &, const void *const *inputs, void *const *outputs, std::size_t i);
  const void *inputs[maxInputs];
  void *outputs[Core::maxResults];
};

/// Calls run(entry, inputs, outputs, count) for all samples; or, where few are beyond whole blocks of 16 and there is an entry
/// for one sample, for the blocks and then for each of the others by itself. Ends with the first that fails.
template <class Run>
Status runParts(const NetcModel &model, const NetcTarget &target, const NetcEntry &entry, const void *const *inputs,
                void *const *outputs, std::size_t count, Run run) {
  constexpr std::size_t block = 16, few = 3; // as the compiler plans
  const NetcEntry *one = forOneSample(model, target, entry);
  const std::size_t rest = count % block, together = one && rest <= few ? count - rest : count;
  Status status = together > 0 ? run(entry, inputs, outputs, together) : Status::ok;
  for (std::size_t i = together; i < count && status == Status::ok; ++i) {
    OneSample sample(model, entry, inputs, outputs, i);
    status = run(*one, sample.inputs, sample.outputs, std::size_t{1});
  }
  return status;
}

} // namespace netc
