#include "compiler/driver/random_batch.h"

#include "compiler/driver/bytes.h"
#include "netc/random.h"

namespace netc::driver {
namespace {

float upperBound(const loop::Tensor &t) {
  if (t.type == DType::F32) return 1;
  if (t.classes > 0) return static_cast<float>(t.classes);
  return t.type == DType::U8 ? 256.0f : 2.0f;
}

} // namespace

RandomBatch::RandomBatch(const CompiledModel &model, std::uint64_t seed) {
  for (const loop::Tensor *t : model.inputs()) {
    std::size_t count = 1;
    for (std::int64_t e : t->shape) count *= static_cast<std::size_t>(e);
    std::vector<float> random(count);
    fillUniform(random.data(), count, t->type == DType::F32 ? -1.0f : 0.0f, upperBound(*t), streamKey(seed, t->name.c_str()));
    std::size_t rows = t->batch ? static_cast<std::size_t>(t->shape[0]) : 1;
    slots.push_back({t->type, count / rows, t->batch, toBytes({random.begin(), random.end()}, t->type)});
  }
  for (const Slot &s : slots) pointers.push_back(s.bytes.data());
}

std::vector<double> RandomBatch::values(std::size_t slot, std::size_t rows) const {
  const Slot &s = slots[slot];
  std::size_t elements = s.batch ? rows * s.rowElements : s.rowElements;
  auto end = s.bytes.begin() + static_cast<std::ptrdiff_t>(elements * static_cast<std::size_t>(byteSize(s.type)));
  return fromBytes({s.bytes.begin(), end}, s.type);
}

} // namespace netc::driver
