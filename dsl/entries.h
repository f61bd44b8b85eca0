// From elaborated graphs, which hold everything, to the entry points, which hold what they need.
#pragma once

#include "dsl/elaborator.h"

namespace netc::dsl {

/// predict, evaluate and for each plan trainStep (or accumulate and apply) over the same shared tensors. `inference` was
/// elaborated with training = false, the plans with training = true. Empty after an error.
std::optional<graph::Module> makeEntries(const Elaborated &inference, const std::vector<const TrainingPlan *> &plans,
                                         std::int64_t batch, Diagnostics &);

} // namespace netc::dsl
