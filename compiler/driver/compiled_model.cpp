#include "compiler/driver/compiled_model.h"

#include "compiler/driver/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace netc::driver {

std::vector<Tensor> weightsOf(Core &core) {
  std::vector<Tensor> list;
  for (std::size_t i = 0; i < core.parameterCount(); ++i) list.push_back(core.parameter(i));
  for (std::size_t i = 0; i < core.stateCount(); ++i)
    if (!core.isOptimizerState(i)) list.push_back(core.state(i));
  return list;
}

/// What a network makes of weights that are no numbers would only look like results, and no training goes on from them.
void requireFinite(Core &core, const std::string &path) {
  for (Tensor &t : weightsOf(core)) {
    std::vector<float> values(t.size());
    t.get(values.data());
    if (auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); }); bad != values.end())
      throw UserError(fmt::format("'{}': {} holds {} at element {}", path, t.name(), *bad, bad - values.begin()));
  }
}

CompiledModel::CompiledModel(loop::Program program, const Options &o, const NetcModel *made) : loops(std::move(program)) {
  if (!made) jit = std::make_unique<codegen::Jit>(loops);
  netc::Options how;
  how.seed = static_cast<std::uint64_t>(o.seed);
  how.threads = static_cast<unsigned>(o.threads);
  how.target = loops.target.c_str(); // the only one; NETC_TARGET was hostTarget()'s to consider
  coreObject = std::make_unique<Core>(made ? *made : *jit->model(), how);
  require(core().status(), core(), "starting the model");
  if (!o.weights.empty() && o.map.empty()) {
    require(core().load(o.weights.c_str()), core(), fmt::format("reading '{}'", o.weights));
    requireFinite(core(), o.weights);
  }
}

CompiledModel::CompiledModel(const Options &o)
    : CompiledModel(unrolled(programs(o, {hostTarget(o)}))[0], o) {}

CompiledModel::CompiledModel(const graph::Module &optimized, const Options &o)
    : CompiledModel(lowered(optimized, hostTarget(o), o), o) {}

std::vector<const loop::Tensor *> CompiledModel::inputs() const {
  std::vector<const loop::Tensor *> list;
  for (const loop::Tensor &t : loops.tensors)
    if (t.role == loop::Tensor::Role::Input || t.role == loop::Tensor::Role::Target) list.push_back(&t);
  return list;
}

std::size_t parametersIn(CompiledModel &model) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < model.core().parameterCount(); ++i) count += model.core().parameter(i).size();
  return count;
}

std::string describe(const loop::Tensor &t) {
  std::string shape;
  for (std::size_t i = 0; i < t.shape.size(); ++i)
    shape += fmt::format("{}{}", i ? ", " : "", i == 0 && t.batch ? "N" : std::to_string(t.shape[i]));
  return fmt::format("{}[{}]", t.classes > 0 ? fmt::format("class({})", t.classes) : std::string(name(t.type)), shape);
}

void require(Status status, const Core &core, const std::string &doing) {
  if (status == Status::ok) return;
  std::string message = core.message();
  for (std::size_t colon = message.find(": "); colon != std::string::npos; colon = message.find(": ", colon + 1))
    if (doing.ends_with(fmt::format("'{}'", message.substr(0, colon)))) { // the file's name once
      message.erase(0, colon + 2);
      break;
    }
  throw UserError(fmt::format("{}: {}", doing, message.empty() ? netc::text(status) : message));
}

} // namespace netc::driver
