#include "compiler/driver/execution.h"

#include "compiler/driver/bytes.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/shapes.h"
#include "compiler/graph/evaluator.h"
#include "netc/random.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <set>

namespace netc::driver {
namespace {

std::vector<std::int64_t> extents(const graph::Tensor &t, std::int64_t count) {
  std::vector<std::int64_t> shape;
  for (const graph::Extent &e : t.shape) shape.push_back(e.batch ? count : e.size);
  return shape;
}

bool isBatch(const graph::Tensor &t) { return !t.shape.empty() && t.shape[0].batch; }

/// Integers convert exactly or not at all; reals are rounded, but not to infinity.
void checkValue(const graph::Tensor &t, double v, const std::string &from) {
  if (t.dtype == DType::F32 && std::isfinite(v) && !std::isfinite(static_cast<float>(v)))
    throw UserError(fmt::format("'{}' has the value {}, but {} takes f32", from, v, t.name));
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

std::vector<double> valuesOf(const Tensor &t) {
  std::vector<float> values(t.size());
  t.get(values.data());
  return {values.begin(), values.end()};
}

/// Parameters and states after --weights, by name: the runtime reads the file.
std::map<std::string, std::vector<double>> storedValues(const Options &o) {
  CompiledModel model(o);
  std::map<std::string, std::vector<double>> stored;
  for (std::size_t i = 0; i < model.core().parameterCount(); ++i)
    stored[model.core().parameter(i).name()] = valuesOf(model.core().parameter(i));
  for (std::size_t i = 0; i < model.core().stateCount(); ++i) stored[model.core().state(i).name()] = valuesOf(model.core().state(i));
  return stored;
}

/// Fills in parameters and states that `inputs` does not give; misses are the evaluator's to report.
void addStore(const graph::Graph &entry, const Options &o, graph::Values &values) {
  std::map<std::string, std::vector<double>> stored = o.weights.empty() ? std::map<std::string, std::vector<double>>{} : storedValues(o);
  for (int i = 0; i < entry.sharedCount(); ++i) {
    const graph::Tensor &t = entry.tensors[static_cast<std::size_t>(i)];
    if (!t.inStore() || values.count(i)) continue;
    auto found = stored.find(t.name);
    values[i] = found != stored.end() ? found->second : initialValues(t, static_cast<std::uint64_t>(o.seed));
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
  how.scalars.seed = static_cast<std::uint64_t>(o.seed);
  graph::Values values = inputs.values;
  addStore(entry, o, values);
  graph::evaluate(entry, values, how, tensors);
  std::vector<Array> results;
  for (int t : tensors) results.push_back({extents(entry.tensors[static_cast<std::size_t>(t)], how.count), values.at(t)});
  return results;
}

namespace {

/// The entry cut down to the values asked for: an "evaluate" whose outputs they are.
graph::Module asOutputs(const graph::Module &module, const std::vector<int> &tensors, const Options &o) {
  graph::Module cut = module;
  graph::Graph &entry = cut.entries[0];
  entry.name = "evaluate";
  entry.every = 0;
  differentiate(cut); // reads the losses
  entry.results.clear();
  entry.next.clear();
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (!entry.tensors[static_cast<std::size_t>(tensors[i])].shared())
      entry.results.push_back({graph::Result::Kind::Output, fmt::format("value{}", i), tensors[i]});
  if (entry.results.size() > Core::maxResults)
    throw UserError(
        fmt::format("--engine {} computes at most {} values at once, found {}", o.engine, Core::maxResults, entry.results.size()));
  forwardPasses(cut, o);
  completePasses(cut, o);
  return cut;
}

std::size_t elementCount(const std::vector<std::int64_t> &shape) {
  std::size_t n = 1;
  for (std::int64_t e : shape) n *= static_cast<std::size_t>(e);
  return n;
}

/// Shared tensors that some formula of the entry reads.
std::set<int> tensorsRead(const graph::Graph &entry) {
  std::set<int> read;
  for (const graph::Formula &f : entry.formulas)
    for (const graph::Clause &c : f.clauses)
      for (const graph::Node &n : c.body.nodes)
        if (n.kind == graph::Node::Kind::Read) read.insert(n.id);
  return read;
}

/// Memory for every input slot: the given arrays, and zeros for what the values do not depend on.
std::vector<std::vector<unsigned char>> inputMemory(const graph::Graph &entry, const Inputs &inputs, std::int64_t count) {
  std::vector<std::vector<unsigned char>> memory;
  std::set<int> read = tensorsRead(entry);
  for (graph::TensorKind kind : {graph::TensorKind::Input, graph::TensorKind::Target})
    for (int i = 0; i < entry.sharedCount(); ++i) {
      const graph::Tensor &t = entry.tensors[static_cast<std::size_t>(i)];
      if (t.kind != kind) continue;
      auto given = inputs.values.find(i);
      if (given == inputs.values.end() && read.count(i))
        throw UserError(fmt::format("the values depend on {}; --input {}=FILE gives it", t.name, t.name));
      std::vector<double> zeros(elementCount(extents(t, count)));
      memory.push_back(toBytes(given == inputs.values.end() ? zeros : given->second, t.dtype));
    }
  return memory;
}

void setStore(Core &core, const graph::Graph &entry, const Inputs &inputs) {
  auto set = [&](Tensor t) {
    int i = entry.find(t.name());
    auto given = inputs.values.find(i);
    if (given == inputs.values.end()) return;
    std::vector<float> values(given->second.begin(), given->second.end());
    t.set(values.data());
  };
  for (std::size_t i = 0; i < core.parameterCount(); ++i) set(core.parameter(i));
  for (std::size_t i = 0; i < core.stateCount(); ++i) set(core.state(i));
}

/// A shared tensor asked for by name: what was given, or what the Core holds.
std::vector<double> sharedValues(Core &core, const graph::Tensor &t, int tensor, const Inputs &inputs) {
  if (auto given = inputs.values.find(tensor); given != inputs.values.end()) return given->second;
  for (std::size_t i = 0; i < core.parameterCount(); ++i)
    if (t.name == core.parameter(i).name()) return valuesOf(core.parameter(i));
  for (std::size_t i = 0; i < core.stateCount(); ++i)
    if (t.name == core.state(i).name()) return valuesOf(core.state(i));
  if (t.kind == graph::TensorKind::Constant) return t.values;
  throw UserError(fmt::format("--input {}=FILE is missing", t.name));
}

} // namespace

std::vector<Array> executeTensors(graph::Module module, const std::vector<int> &tensors, const Inputs &inputs, const Options &o) {
  const graph::Graph &entry = module.entries[0];
  std::int64_t count = batchCount(entry, inputs);
  graph::Module cut = asOutputs(module, tensors, o);
  CompiledModel model(cut, o);
  setStore(model.core(), entry, inputs);
  auto memory = inputMemory(cut.entries[0], inputs, count);
  std::vector<const void *> in;
  for (const auto &m : memory) in.push_back(m.data());
  std::vector<std::vector<unsigned char>> results;
  std::vector<void *> out;
  for (int i : tensors)
    if (const graph::Tensor &t = entry.tensors[static_cast<std::size_t>(i)]; !t.shared())
      results.emplace_back(elementCount(extents(t, count)) * static_cast<std::size_t>(byteSize(t.dtype)));
  for (auto &r : results) out.push_back(r.data());
  if (!out.empty())
    require(model.core().run("evaluate", in.data(), out.data(), static_cast<std::size_t>(count)), model.core(), "running");
  std::vector<Array> arrays;
  std::size_t slot = 0;
  for (int i : tensors) {
    const graph::Tensor &t = entry.tensors[static_cast<std::size_t>(i)];
    arrays.push_back({extents(t, count), t.shared() ? sharedValues(model.core(), t, i, inputs) : fromBytes(results[slot++], t.dtype)});
  }
  return arrays;
}

} // namespace netc::driver
