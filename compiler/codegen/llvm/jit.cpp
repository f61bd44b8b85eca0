#include "compiler/codegen/llvm/llvm.h"
#include "compiler/codegen/llvm/perf_map.h"
#include "compiler/codegen/llvm/target.h"
#include "compiler/codegen/model_tables.h"
#include "compiler/support/diagnostics.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <netc/abi.h>

namespace netc::codegen {

namespace {

template <class T> T orInternalError(llvm::Expected<T> result) {
  if (!result) internalError("the just-in-time compiler failed: " + llvm::toString(result.takeError()));
  return std::move(*result);
}

} // namespace

struct Jit::State {
  std::unique_ptr<llvm::orc::LLJIT> engine;
  const NetcModel *model = nullptr;
};

Jit::Jit(const loop::Program &program, const Reference &reference) : state(std::make_unique<State>()) {
  const std::string object = llvm({program}, LlvmOutput::Object, reference);
  state->engine = orInternalError(llvm::orc::LLJITBuilder().create());
  if (auto error = state->engine->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object, program.name)))
    internalError("the just-in-time compiler failed: " + llvm::toString(std::move(error)));
  state->model = orInternalError(state->engine->lookup(modelSymbol(program))).toPtr<const NetcModel *>();
  writePerfMap(*state->model);
}

Jit::~Jit() = default;
const NetcModel *Jit::model() const { return state->model; }

} // namespace netc::codegen
