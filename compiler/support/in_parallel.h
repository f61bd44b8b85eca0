// Independent pieces of one compilation, side by side.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace netc {

/// Runs task(0) ... task(count - 1), each on a thread of its own, and returns when all have ended. Of the exceptions
/// that escape, the first task's is thrown, so that what a user sees does not depend on timing.
void inParallel(std::size_t count, const std::function<void(std::size_t)> &task);

/// task(0) ... task(count - 1), as many at a time as there are processors, but no thread for fewer than `atLeast` tasks. Which thread
/// runs which task is left to chance.
void onAllProcessors(std::size_t count, const std::function<void(std::size_t)> &task, std::size_t atLeast = 1);

/// task(begin, end) for consecutive pieces of [0, count), on all processors. Where the pieces begin depends on the count alone.
void inPieces(std::size_t count, const std::function<void(std::size_t, std::size_t)> &task);

/// What of(begin, end) gives for each piece, in order: their sum has the same bits however many processors there are.
std::vector<double> ofPieces(std::size_t count, const std::function<double(std::size_t, std::size_t)> &of);

/// The largest of of(i), none of which is negative; 0: there are none.
template <class Of> double largestOf(std::size_t count, Of of) {
  const std::vector<double> largest = ofPieces(count, [&](std::size_t begin, std::size_t end) {
    double most = 0;
    for (std::size_t i = begin; i < end; ++i) most = std::max(most, of(i));
    return most;
  });
  return largest.empty() ? 0 : *std::max_element(largest.begin(), largest.end());
}

} // namespace netc
