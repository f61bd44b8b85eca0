// The classes of the samples to train with: those that none is of, and --class-weights, how much a sample counts in the loss by
// its class.
#pragma once

#include "compiler/driver/data_source.h"

#include <string>

namespace netc::driver {

/// The input that takes them, one a sample: `target class_weight: f32[N]`.
constexpr const char *classWeightInput = "class_weight";

/// Adds to the description of targets with one class a sample which classes no sample is of: a network learns to expect none.
void describeMissingClasses(BoundData &train, const std::vector<const loop::Tensor *> &inputs);

/// Feeds that input of both parts, whose other inputs are bound. `how` is "balanced", so that each class counts alike among the
/// samples to train with, or a file with a number a class. Throws UserError.
void bindClassWeights(DataParts &, const CompiledModel &, const std::string &how);

} // namespace netc::driver
