// An expanded function of the table as a list of primitives, run 16 lanes at a time by the loop interpreter's operations:
// the bits that compiled models get.
#pragma once

#include "compiler/loop/lane_operations.h"
#include "compiler/support/functions.h"

#include <map>
#include <vector>

namespace netc::test {

class Expansion {
public:
  explicit Expansion(Fn);
  /// Within a FlushDenormals.
  const loop::LaneValues &run(const loop::LaneValues (&args)[3]);
  int operations() const { return static_cast<int>(code.size()); }

private:
  struct Operation {
    Fn fn;
    bool integers;
    int args[3], result;
  };
  int expand(Fn, const std::vector<int> &args);
  int constant(double value, DType);

  std::vector<loop::LaneValues> values; // the arguments, constants and results
  std::vector<DType> types;
  std::vector<char> isConstant;
  std::map<int, double> number; // the constants, unrounded
  std::vector<Operation> code;
  int root = -1;
};

} // namespace netc::test
