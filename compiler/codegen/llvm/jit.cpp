#include "compiler/codegen/llvm/llvm.h"
#include "compiler/codegen/llvm/module.h"
#include "compiler/codegen/llvm/perf_map.h"
#include "compiler/codegen/llvm/target.h"
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
  auto context = std::make_unique<llvm::LLVMContext>();
  context->setDiscardValueNames(true);
  auto machine = createTargetMachine(hostArchitecture());
  auto module = buildModule(*context, {program}, reference);
  optimize(*module, *machine);

  llvm::orc::JITTargetMachineBuilder builder(machine->getTargetTriple());
  builder.setOptions(targetOptions()).setRelocationModel(llvm::Reloc::PIC_);
  state->engine =
      orInternalError(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create());
  if (auto error =
          state->engine->addIRModule(llvm::orc::ThreadSafeModule(std::move(module), std::move(context))))
    internalError("the just-in-time compiler failed: " + llvm::toString(std::move(error)));
  state->model = orInternalError(state->engine->lookup(modelSymbol(program))).toPtr<const NetcModel *>();
  writePerfMap(*state->model);
}

Jit::~Jit() = default;
const NetcModel *Jit::model() const { return state->model; }

} // namespace netc::codegen
