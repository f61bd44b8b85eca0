// The definition of the loop IR: runs it statement by statement, lane by lane, with the exact bits that the back ends
// must give, and watches for what they cannot see.
#pragma once

#include "compiler/loop/loop.h"

namespace netc::loop {

struct Memory {
  std::vector<std::uint8_t> store;                // Program::storeBytes
  std::vector<std::vector<std::uint8_t>> inputs;  // by slot, count rows
  std::vector<std::vector<std::uint8_t>> outputs; // by slot; sized by interpret() for count rows
};

struct Interpretation {
  std::int64_t count = 1;
  ScalarInputs scalars; // step, epoch, steps, seed
  bool reverseParallel = false; // run parallel iterations in reverse order
};

/// Runs an entry. The workspace starts as NaN. Returns the problems found (empty: none): accesses out of bounds,
/// reads of memory or registers that were never written, conflicting accesses of parallel iterations. At most 20.
/// Kernels from Entry::commit on run only when every Loss result is finite.
std::vector<std::string> interpret(const Program &, const Entry &, Memory &, const Interpretation &);

} // namespace netc::loop
