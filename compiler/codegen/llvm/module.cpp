#include "compiler/codegen/llvm/module.h"

#include "compiler/codegen/llvm/kernel_code.h"
#include "compiler/support/version.h"

namespace netc::codegen {

namespace {

llvm::Function *addKernel(llvm::Module &module, const std::string &symbol, const loop::Entry &entry,
                          const loop::Kernel &kernel, const PlacesRead &placesRead, const InstructionSet &set,
                          ConstantBuffers &constants) {
  llvm::LLVMContext &context = module.getContext();
  auto *integer = llvm::Type::getInt64Ty(context);
  auto *type =
      llvm::FunctionType::get(llvm::Type::getVoidTy(context),
                              {llvm::PointerType::getUnqual(context), integer, integer}, /*isVarArg=*/false);
  auto *function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, symbol, module);
  function->getArg(0)->setName("frame");
  function->getArg(1)->setName("begin");
  function->getArg(2)->setName("end");
  for (auto attribute : {llvm::Attribute::NoAlias, llvm::Attribute::ReadOnly, llvm::Attribute::NoCapture})
    function->addParamAttr(0, attribute);
  setAttributes(*function, set);
  KernelCode(*function, entry, kernel, placesRead, set, constants).build();
  return function;
}

} // namespace

const Architecture &architecture(const std::vector<loop::Program> &programs) {
  return *findTarget(programs.front().target).architecture;
}

std::unique_ptr<llvm::Module> buildModule(llvm::LLVMContext &context,
                                          const std::vector<loop::Program> &programs, const Reference &reference) {
  auto module = std::make_unique<llvm::Module>(programs.front().name, context);
  auto machine = createTargetMachine(architecture(programs));
  module->setTargetTriple(machine->getTargetTriple().str());
  module->setDataLayout(machine->createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  auto *ident = module->getOrInsertNamedMetadata("llvm.ident");
  ident->addOperand(llvm::MDNode::get(context, llvm::MDString::get(context, version())));

  ConstantBuffers constants(*module);
  const std::vector<SharedKernels> shared = sharedKernels(programs);
  std::vector<std::map<KernelIndex, llvm::Function *>> functions(programs.size());
  for (std::size_t p = 0; p < programs.size(); ++p) {
    const InstructionSet set = instructionSet(programs[p].target);
    const auto symbols = kernelSymbols(programs, static_cast<int>(p));
    for (int e = 0; e < static_cast<int>(symbols.size()); ++e) {
      const loop::Entry &entry = programs[p].entries[e];
      for (int k = 0; k < static_cast<int>(symbols[e].size()); ++k)
        if (const KernelIndex i{e, k}; shared[p].functionOf(i) == i)
          functions[p][i] =
              addKernel(*module, symbols[e][k], entry, entry.kernels[k], shared[p].placesRead(i), set, constants);
    }
  }
  addTables(*module, modelTables(programs, shared, reference), modelSymbol(programs.front()),
            [&](const KernelRef &k) { return functions[k.program].at(k.function); });
  return module;
}

} // namespace netc::codegen
