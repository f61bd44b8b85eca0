#include "compiler/codegen/llvm/module.h"

#include "compiler/codegen/llvm/kernel_code.h"
#include "compiler/loop/walk.h"
#include "compiler/support/version.h"

#include <algorithm>

namespace netc::codegen {

namespace {

/// A part has a sixteenth of all statements, enough for the processors of a desk, but not so few that LLVM's own start would count.
constexpr std::size_t mostParts = 16, fewestStatements = 500;

std::size_t statementCount(const loop::Kernel &kernel) {
  std::size_t count = 0;
  loop::forEachStatement(kernel.body, [&](const loop::Statement &) { ++count; });
  return count;
}

} // namespace

const Architecture &architecture(const std::vector<loop::Program> &programs) {
  return *findTarget(programs.front().target).architecture;
}

ModuleBuilder::ModuleBuilder(const std::vector<loop::Program> &programs)
    : programs(programs), shared(sharedKernels(programs)), firsts{0} {
  std::vector<std::size_t> before = {0}; // the statements before each kernel, and all
  for (int p = 0; p < static_cast<int>(programs.size()); ++p) {
    const auto symbols = kernelSymbols(programs, p);
    for (int e = 0; e < static_cast<int>(symbols.size()); ++e)
      for (int k = 0; k < static_cast<int>(symbols[e].size()); ++k) {
        if (const KernelIndex i{e, k}; shared[p].functionOf(i) != i) continue;
        kernels.push_back({{p, {e, k}}, symbols[e][k]});
        before.push_back(before.back() + statementCount(programs[p].entries[e].kernels[k]));
      }
  }
  const std::size_t enough = std::max(before.back() / mostParts, fewestStatements);
  for (std::size_t k = 0; k < kernels.size(); ++k)
    if (k == 0 || before[k] - before[firsts.back()] >= enough) firsts.push_back(k);
}

std::unique_ptr<llvm::Module> ModuleBuilder::emptyModule(llvm::LLVMContext &context) const {
  auto module = std::make_unique<llvm::Module>(programs.front().name, context);
  auto machine = createTargetMachine(architecture(programs));
  module->setTargetTriple(machine->getTargetTriple().str());
  module->setDataLayout(machine->createDataLayout());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  return module;
}

llvm::Function *ModuleBuilder::declare(llvm::Module &module, const Kernel &kernel, llvm::GlobalValue::LinkageTypes linkage) const {
  llvm::LLVMContext &context = module.getContext();
  auto *integer = llvm::Type::getInt64Ty(context);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {llvm::PointerType::getUnqual(context), integer, integer},
                                       /*isVarArg=*/false);
  auto *function = llvm::Function::Create(type, linkage, kernel.symbol, module);
  if (!function->hasLocalLinkage()) function->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return function;
}

void ModuleBuilder::define(llvm::Module &module, std::size_t begin, std::size_t end, llvm::GlobalValue::LinkageTypes linkage) const {
  ConstantBuffers constants(module);
  for (std::size_t i = begin; i < end; ++i) {
    const auto &[program, index] = kernels[i].ref;
    llvm::Function *function = declare(module, kernels[i], linkage);
    function->getArg(0)->setName("frame");
    function->getArg(1)->setName("begin");
    function->getArg(2)->setName("end");
    for (auto attribute : {llvm::Attribute::NoAlias, llvm::Attribute::ReadOnly, llvm::Attribute::NoCapture})
      function->addParamAttr(0, attribute);
    const InstructionSet set = instructionSet(programs[program].target);
    setAttributes(*function, set);
    const loop::Entry &entry = programs[program].entries[index.entry];
    KernelCode(*function, entry, entry.kernels[index.kernel], shared[program].placesRead(index), set, constants).build();
  }
}

void ModuleBuilder::addModelTables(llvm::Module &module, const Reference &reference) const {
  llvm::LLVMContext &context = module.getContext();
  auto *ident = module.getOrInsertNamedMetadata("llvm.ident");
  ident->addOperand(llvm::MDNode::get(context, llvm::MDString::get(context, version())));
  std::vector<std::map<KernelIndex, llvm::Function *>> functions(programs.size());
  for (const Kernel &kernel : kernels) {
    llvm::Function *defined = module.getFunction(kernel.symbol);
    functions[kernel.ref.program][kernel.ref.function] =
        defined ? defined : declare(module, kernel, llvm::GlobalValue::ExternalLinkage);
  }
  addTables(module, modelTables(programs, shared, reference), modelSymbol(programs.front()),
            [&](const KernelRef &k) { return functions[k.program].at(k.function); });
}

std::unique_ptr<llvm::Module> ModuleBuilder::whole(llvm::LLVMContext &context, const Reference &reference) const {
  auto module = emptyModule(context);
  define(*module, 0, kernels.size(), llvm::GlobalValue::InternalLinkage);
  addModelTables(*module, reference);
  return module;
}

std::unique_ptr<llvm::Module> ModuleBuilder::part(llvm::LLVMContext &context, std::size_t number, const Reference &reference) const {
  auto module = emptyModule(context);
  if (number == 0) {
    addModelTables(*module, reference);
  } else {
    const std::size_t end = number + 1 < firsts.size() ? firsts[number + 1] : kernels.size();
    define(*module, firsts[number], end, llvm::GlobalValue::ExternalLinkage);
  }
  return module;
}

} // namespace netc::codegen
