// From elaborated graphs, which hold everything, to the entry points, which hold what they need.
#pragma once

#include "dsl/elaborator.h"

namespace netc::dsl {

/// predict, evaluate and trainStep (or accumulate and apply) over the same shared tensors. `inference` was elaborated with training =
/// false, `plan` (when the model trains) with training = true. Empty after an error.
std::optional<graph::Module> makeEntries(const Elaborated &inference, const TrainingPlan *plan,
                                         std::int64_t batch, Diagnostics &);

} // namespace netc::dsl
