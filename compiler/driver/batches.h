// Mini-batches of bound data, and the mean results of an entry point over all of it.
#pragma once

#include "compiler/driver/binding.h"
#include "compiler/driver/compiled_model.h"

#include <map>
#include <string>
#include <vector>

namespace netc::driver {

/// The memory for one mini-batch of every slot.
class Batch {
public:
  Batch(const BoundData &, std::size_t most);
  /// Copies the samples; the result is what entry points take.
  const void *const *gather(const std::uint32_t *rows, std::size_t count);

private:
  const BoundData &data;
  std::vector<std::vector<unsigned char>> memory;
  std::vector<const void *> pointers;
};

struct Score {
  std::string name;
  bool isLoss;
  double value;
};
/// Losses and metrics of "evaluate" over all rows, each batch weighted by its samples; before several losses stands their
/// sum, "total_loss". Throws UserError.
std::vector<Score> evaluateAll(CompiledModel &, const BoundData &, std::size_t batch);

} // namespace netc::driver
