#include "compiler/driver/execution.h"

#include "compiler/driver/pipeline.h"
#include "compiler/driver/shapes.h"
#include "compiler/graph/evaluator.h"
#include "netc/random.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace netc::driver {
namespace {

std::vector<std::int64_t> extents(const graph::Tensor &t, std::int64_t count) {
  std::vector<std::int64_t> shape;
  for (const graph::Extent &e : t.shape) shape.push_back(e.batch ? count : e.size);
  return shape;
}

bool isBatch(const graph::Tensor &t) { return !t.shape.empty() && t.shape[0].batch; }

/// Integers convert exactly or not at all.
void checkValue(const graph::Tensor &t, double v, const std::string &from) {
  if (t.dtype == DType::F32) return;
  double low = t.dtype == DType::I32 ? std::numeric_limits<std::int32_t>::min() : 0;
  double high = t.dtype == DType::I32 ? std::numeric_limits<std::int32_t>::max() : t.dtype == DType::U8 ? 255 : 1;
  if (t.classes > 0) low = 0, high = t.classes - 1;
  if (v < low || v > high || v != std::floor(v))
    throw UserError(fmt::format("'{}' has the value {}, but {} takes whole numbers from {} to {}", from, v, t.name, low, high));
}

std::int64_t batchCount(const graph::Graph &entry, const Inputs &inputs) {
  std::int64_t count = inputs.count ? inputs.count : 1;
  if (count > entry.batch)
    throw UserError(fmt::format("{} samples are more than the batch of {}; --batch {} plans for them", count, entry.batch, count));
  return count;
}

/// Fills in parameters and states that `inputs` does not give; misses are the evaluator's to report.
void addStore(const graph::Graph &entry, const Options &o, graph::Values &values) {
  if (!o.weights.empty()) throw UserError("--weights needs --engine jit");
  for (int i = 0; i < entry.sharedCount(); ++i) {
    const graph::Tensor &t = entry.tensors[static_cast<std::size_t>(i)];
    if (t.inStore() && !values.count(i)) values[i] = initialValues(t, static_cast<std::uint64_t>(o.seed));
  }
}

} // namespace

void Inputs::add(const graph::Tensor &t, int tensor, const Array &a, const std::string &from) {
  std::vector<std::int64_t> sample = extents(t, 1);
  if (isBatch(t)) {
    sample.erase(sample.begin());
    auto samples = samplesIn(a.shape, sample);
    if (!samples || *samples < 1)
      throw UserError(fmt::format("'{}' is {}, which does not fit {}: {}[N{}{}]", from, describe(a.shape), t.name,
                                  name(t.dtype), sample.empty() ? "" : ", ", fmt::join(sample, ", ")));
    if (count && count != *samples)
      throw UserError(fmt::format("'{}' has {} samples, the inputs before it have {}", from, *samples, count));
    count = *samples;
  } else if (!agree(a.shape, sample)) {
    throw UserError(fmt::format("'{}' is {}, which does not fit {}: {}", from, describe(a.shape), t.name, describe(t.dtype, sample)));
  }
  for (double v : a.values) checkValue(t, v, from);
  values[tensor] = a.values;
}

std::vector<double> initialValues(const graph::Tensor &t, std::uint64_t seed) {
  std::int64_t size = 1;
  for (const graph::Extent &e : t.shape) size *= e.size;
  std::vector<float> values(static_cast<std::size_t>(size), static_cast<float>(t.init.a));
  if (t.init.kind == graph::Initializer::Kind::Uniform)
    fillUniform(values.data(), values.size(), static_cast<float>(t.init.a), static_cast<float>(t.init.b),
                streamKey(seed, t.name.c_str()));
  if (t.init.kind == graph::Initializer::Kind::Normal)
    fillNormal(values.data(), values.size(), t.init.a, t.init.b, streamKey(seed, t.name.c_str()));
  return {values.begin(), values.end()};
}

std::vector<Array> evaluateTensors(graph::Module module, const std::vector<int> &tensors, const Inputs &inputs, const Options &o) {
  differentiate(module);
  const graph::Graph &entry = module.entries[0];
  graph::Evaluation how;
  how.precision = o.engine == "eval32" ? graph::Precision::Float32 : graph::Precision::Float64;
  how.count = batchCount(entry, inputs);
  graph::Values values = inputs.values;
  addStore(entry, o, values);
  graph::evaluate(entry, values, how, tensors);
  std::vector<Array> results;
  for (int t : tensors) results.push_back({extents(entry.tensors[static_cast<std::size_t>(t)], how.count), values.at(t)});
  return results;
}

std::vector<Array> executeTensors(graph::Module, const std::vector<int> &, const Inputs &, const Options &) {
  throw UserError("--engine jit is not built yet");
}

} // namespace netc::driver
