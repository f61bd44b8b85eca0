// The part of the verifier that looks into kernels.
#pragma once

#include "compiler/loop/loop.h"
#include "compiler/support/diagnostics.h"

#include <set>

namespace netc::loop {

/// An input or output slot of an entry: what the caller passes.
struct Slot {
  std::string name;
  DType type = DType::F32;
  std::int64_t elements = 0; // at full batch
  std::int64_t row = 0;      // elements a sample; 0: the size does not depend on the count
};
std::vector<Slot> inputSlots(const Program &); // inputs, then targets
std::vector<Slot> outputSlots(const Entry &);

/// `doubted` are the buffers of the entry that a report has spoken about; more are added.
void verifyKernel(const Program &, const Entry &, int kernel, std::set<int> &doubted, Diagnostics &);

} // namespace netc::loop
