// The loops over a domain, with the value of some affine expressions of its indices ("tracks") at the current point.
#pragma once

#include "compiler/support/affine.h"

#include <vector>

namespace netc::graph {

struct Loop {
  std::int64_t extent = 1;
  std::vector<std::int64_t> step; // how each track changes from one iteration to the next
};

class LoopNest {
public:
  /// The tracks' values at index 0 of all loops. Loops are added outermost first, when all tracks are known.
  std::vector<std::int64_t> now;
  std::vector<Loop> loops;

  int track(std::int64_t start) {
    now.push_back(start);
    return static_cast<int>(now.size()) - 1;
  }
  bool empty() const;

  /// Only the iterations [begin, end) of a loop.
  void restrict(std::size_t loop, std::int64_t begin, std::int64_t end);
  /// Neighbouring loops that every track walks like one become one.
  void merge();
  /// Takes the innermost loop out of the nest, so that `advance` walks the others.
  Loop takeInnermost();
  /// To the next point; false after the last one.
  bool advance();

private:
  std::vector<std::int64_t> at;
};

} // namespace netc::graph
