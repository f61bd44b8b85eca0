// Questions about the tables of netc/abi.h, asked in one place.
#pragma once

#include "netc/abi.h"

#include <cstddef>
#include <cstdint>

namespace netc {

constexpr std::size_t maxRank = 16;

std::size_t bytesOf(std::int64_t type);
/// Product of the extents, 1 for none.
std::size_t elementCount(const std::int64_t *shape, std::int64_t rank);
bool inStore(const NetcTensor &);

/// Where the elements of a tensor lie, one after the other in logical (row-major) order.
class Places {
 public:
  explicit Places(const NetcTensor &tensor) : digits_(tensor.digits), layout_(tensor.layout) {}
  /// In elements, from the tensor's first.
  std::size_t next() {
    std::int64_t here = place_;
    if (digits_ == 0) ++place_;
    for (std::int64_t d = digits_; d-- > 0;) {
      std::int64_t extent = layout_[2 * d], stride = layout_[2 * d + 1];
      place_ += stride;
      if (++at_[d] < extent) break;
      at_[d] = 0;
      place_ -= extent * stride;
    }
    return static_cast<std::size_t>(here);
  }

 private:
  std::int64_t digits_;
  const std::int64_t *layout_;
  std::int64_t place_ = 0, at_[2 * maxRank] = {};
};

/// A state whose name continues a parameter's ("conv1.weight.velocity") is the optimizer's; the others
/// (running statistics) belong to the weights.
bool isOptimizerState(const NetcModel &, const NetcTensor &);
const NetcEntry *findEntry(const NetcTarget &, const char *name);
/// The entry "trainStep" or "accumulate" of a training plan, whatever its name ends in; of the first plan if `plan`
/// is null; null if there is none.
const NetcEntry *trainingEntry(const NetcTarget &, const char *plan);
bool isTraining(const NetcEntry &);
bool isUpdate(const NetcEntry &); ///< "apply" of a plan
/// The entry of the same plan in another role: "head.apply" of "head.accumulate"; null if there is none.
const NetcEntry *besides(const NetcTarget &, const NetcEntry &, const char *role);
/// The most that any entry of the target needs.
std::size_t workspaceBytes(const NetcTarget &);
/// Fails (false, with a message) on tables of another version or beyond the runtime's limits.
bool checkTables(const NetcModel &, char *message);

/// The target `name`, or the first that this machine supports if it is null; null with a message if there is
/// none.
const NetcTarget *chooseTarget(const NetcModel &, const char *name, char *message);

} // namespace netc
