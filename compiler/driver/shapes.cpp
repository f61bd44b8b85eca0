#include "compiler/driver/shapes.h"

#include <algorithm>

namespace netc::driver {
namespace {

std::vector<std::int64_t> withoutOnes(std::vector<std::int64_t> shape) {
  shape.erase(std::remove(shape.begin(), shape.end(), 1), shape.end());
  return shape;
}

} // namespace

bool agree(const std::vector<std::int64_t> &a, const std::vector<std::int64_t> &b) {
  return withoutOnes(a) == withoutOnes(b);
}

std::optional<std::int64_t> samplesIn(const std::vector<std::int64_t> &array, const std::vector<std::int64_t> &sample) {
  if (!array.empty() && agree({array.begin() + 1, array.end()}, sample)) return array[0];
  if (agree(array, sample)) return 1;
  return {};
}

} // namespace netc::driver
