// Independent pieces of one compilation, side by side.
#pragma once

#include <cstddef>
#include <functional>

namespace netc {

/// Runs task(0) ... task(count - 1), each on a thread of its own, and returns when all have ended. Of the exceptions
/// that escape, the first task's is thrown, so that what a user sees does not depend on timing.
void inParallel(std::size_t count, const std::function<void(std::size_t)> &task);

} // namespace netc
