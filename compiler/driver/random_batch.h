// Made-up inputs for timing and checking: a full batch in memory.
#pragma once

#include "compiler/driver/compiled_model.h"

#include <cstdint>
#include <vector>

namespace netc::driver {

/// Uniform values that fit each input: reals in [-1, 1), whole numbers for integers, labels below their classes.
class RandomBatch {
public:
  RandomBatch(const CompiledModel &, std::uint64_t seed);
  const void *const *data() const { return pointers.data(); }
  /// The first `rows` samples of a slot (all of it if it is no batch tensor).
  std::vector<double> values(std::size_t slot, std::size_t rows) const;

private:
  struct Slot {
    DType type;
    std::size_t rowElements; // all elements when there is no batch
    bool batch;
    std::vector<unsigned char> bytes;
  };
  std::vector<Slot> slots;
  std::vector<const void *> pointers;
};

} // namespace netc::driver
