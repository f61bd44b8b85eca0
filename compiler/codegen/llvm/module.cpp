#include "compiler/codegen/llvm/module.h"

#include "compiler/codegen/llvm/kernel_code.h"
#include "compiler/support/version.h"

namespace netc::codegen {

namespace {

llvm::Function *addKernel(llvm::Module &module, const std::string &symbol, const loop::Entry &entry,
                          const loop::Kernel &kernel, const InstructionSet &set, ConstantBuffers &constants) {
  llvm::LLVMContext &context = module.getContext();
  auto *integer = llvm::Type::getInt64Ty(context);
  auto *type =
      llvm::FunctionType::get(llvm::Type::getVoidTy(context),
                              {llvm::PointerType::getUnqual(context), integer, integer}, /*isVarArg=*/false);
  auto *function = llvm::Function::Create(type, llvm::GlobalValue::InternalLinkage, symbol, module);
  function->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global); // equal kernels may be one
  function->getArg(0)->setName("frame");
  function->getArg(1)->setName("begin");
  function->getArg(2)->setName("end");
  for (auto attribute : {llvm::Attribute::NoAlias, llvm::Attribute::ReadOnly, llvm::Attribute::NoCapture})
    function->addParamAttr(0, attribute);
  setAttributes(*function, set);
  KernelCode(*function, entry, kernel, set, constants).build();
  return function;
}

} // namespace

const Architecture &architecture(const std::vector<loop::Program> &programs) {
  return *findTarget(programs.front().target).architecture;
}

std::unique_ptr<llvm::Module> buildModule(llvm::LLVMContext &context,
                                          const std::vector<loop::Program> &programs) {
  auto module = std::make_unique<llvm::Module>(programs.front().name, context);
  auto machine = createTargetMachine(architecture(programs));
  module->setTargetTriple(machine->getTargetTriple().str());
  module->setDataLayout(machine->createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  auto *ident = module->getOrInsertNamedMetadata("llvm.ident");
  ident->addOperand(llvm::MDNode::get(context, llvm::MDString::get(context, version())));

  ConstantBuffers constants(*module);
  std::vector<std::vector<std::vector<llvm::Function *>>> functions; // by program, entry, kernel
  for (int p = 0; p < static_cast<int>(programs.size()); ++p) {
    const InstructionSet set = instructionSet(programs[p].target);
    const auto symbols = kernelSymbols(programs, p);
    auto &ofProgram = functions.emplace_back();
    for (std::size_t e = 0; e < symbols.size(); ++e) {
      const loop::Entry &entry = programs[p].entries[e];
      auto &ofEntry = ofProgram.emplace_back();
      for (std::size_t k = 0; k < symbols[e].size(); ++k)
        ofEntry.push_back(addKernel(*module, symbols[e][k], entry, entry.kernels[k], set, constants));
    }
  }
  addTables(*module, modelTables(programs), modelSymbol(programs.front()),
            [&](const KernelRef &k) { return functions.at(k.program).at(k.entry).at(k.kernel); });
  return module;
}

} // namespace netc::codegen
