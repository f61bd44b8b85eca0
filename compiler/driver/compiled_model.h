// A model compiled into this process: tables and kernels, from the JIT unless others made them, under a runtime Core.
#pragma once

#include "compiler/codegen/llvm/llvm.h"
#include "compiler/driver/options.h"
#include "compiler/graph/graph.h"
#include "compiler/loop/loop.h"
#include "netc/model.h"

#include <memory>
#include <string>
#include <vector>

namespace netc::driver {

class CompiledModel {
public:
  /// Through the whole pipeline for the host's target; loads --weights if given. Throws UserError.
  explicit CompiledModel(const Options &);
  /// From an optimized graph.
  CompiledModel(const graph::Module &optimized, const Options &);
  /// From unrolled loops; `made`: already compiled ones, whose tables stay.
  CompiledModel(loop::Program, const Options &, const NetcModel *made = nullptr);

  Core &core() { return *coreObject; }
  const loop::Program &program() const { return loops; }
  /// The model's inputs and targets, in slot order.
  std::vector<const loop::Tensor *> inputs() const;
  /// Null if there is none.
  const loop::Entry *entry(const std::string &name) const { return loops.entry(name); }

private:
  loop::Program loops;
  std::unique_ptr<codegen::Jit> jit;
  std::unique_ptr<Core> coreObject; // uses the tables of `jit`
};

/// The numbers that training may change.
std::size_t parametersIn(CompiledModel &);

/// "u8[N, 1, 28, 28]", "class(10)[N]"
std::string describe(const loop::Tensor &);

/// What a model's weights are: parameters, and states that are not the optimizer's.
std::vector<Tensor> weightsOf(Core &);

/// Throws UserError if weights that came from the file at `path`, or are for it, are not finite.
void requireFinite(Core &, const std::string &path);

/// Throws UserError with the Core's message unless the status is ok.
void require(Status, const Core &, const std::string &doing);

} // namespace netc::driver
