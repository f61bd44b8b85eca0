// Losses and metrics over bound data.
#pragma once

#include "compiler/driver/binding.h"
#include "compiler/driver/compiled_model.h"

#include <string>
#include <vector>

namespace netc::driver {

struct Score {
  std::string name;
  bool isLoss;
  double value;
};
/// Losses and metrics of "evaluate" over all rows, each batch weighted by its samples; before several losses stands their
/// sum, "total_loss". Throws UserError.
std::vector<Score> evaluateAll(CompiledModel &, const BoundData &, std::size_t batch);
/// The metrics alone, of one batch as entry points take it.
std::vector<Score> metricsOf(CompiledModel &, const void *const *batch, std::size_t count);

} // namespace netc::driver
