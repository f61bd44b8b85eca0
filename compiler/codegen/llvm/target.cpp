#include "compiler/codegen/llvm/target.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

namespace netc::codegen {

namespace {

/// All that this machine has, beyond the row that describes it.
InstructionSet ofThisMachine() {
  InstructionSet set{findTarget("native"), llvm::sys::getHostCPUName().str(), ""};
  for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
    if (!set.features.empty()) set.features += ',';
    set.features += (feature.second ? "+" : "-") + feature.first().str();
  }
  return set;
}

/// `a < b ? a : b` would become a minimum instruction, which replaces denormals by zero where a selection
/// keeps them (x86 with DAZ). A comparison of a fenced copy is not recognised as one.
void keepSelections(llvm::Function &function) {
  for (llvm::Instruction &instruction : llvm::instructions(function)) {
    auto *select = llvm::dyn_cast<llvm::SelectInst>(&instruction);
    auto *compare = select ? llvm::dyn_cast<llvm::FCmpInst>(select->getCondition()) : nullptr;
    if (!compare || !select->getType()->isFPOrFPVectorTy()) continue;
    const int fenced = llvm::isa<llvm::Constant>(compare->getOperand(0)) ? 1 : 0;
    llvm::Value *x = compare->getOperand(fenced);
    if (x != select->getTrueValue() && x != select->getFalseValue()) continue;
    llvm::IRBuilder<> b(compare);
    compare->setOperand(fenced, b.CreateIntrinsic(llvm::Intrinsic::arithmetic_fence, {x->getType()}, {x}));
  }
}

/// Once, by whichever thread comes first.
void registerTargets() {
  [[maybe_unused]] static const bool registered = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    return true;
  }();
}

} // namespace

InstructionSet instructionSet(const std::string &name) {
  const Target target = findTarget(name);
  if (target.name == "native") return ofThisMachine();
  const bool generations = target.architecture->name != target.name; // LLVM has these names of x86-64's, too
  return {target, generations ? target.name : "generic", ""};
}

std::unique_ptr<llvm::TargetMachine> createTargetMachine(const Architecture &architecture) {
  registerTargets();
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict; // a multiplication and an addition are never fused
  options.FunctionSections = true; // GNU objdump names functions by their sections, of which a joined file has several
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(architecture.triple, error);
  if (!target) internalError("llvm has no code generator for " + error);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(architecture.triple, /*CPU=*/"", /*Features=*/"", options, llvm::Reloc::PIC_));
}

void setAttributes(llvm::Function &function, const InstructionSet &set) {
  function.addFnAttr("target-cpu", set.cpu);
  if (!set.features.empty()) function.addFnAttr("target-features", set.features);
  // Both are needed: else LLVM splits every operation into halves on AVX-512 machines (2.5 times slower).
  const std::string width = std::to_string(32 * set.target.lanes);
  function.addFnAttr("min-legal-vector-width", width);
  function.addFnAttr("prefer-vector-width", width);
  // Callers flush denormals; constant folding must not assume otherwise.
  function.addFnAttr("denormal-fp-math", "preserve-sign,preserve-sign");
  function.addFnAttr(llvm::Attribute::NoUnwind);
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  std::string problems;
  llvm::raw_string_ostream stream(problems);
  if (llvm::verifyModule(module, &stream)) internalError("the generated LLVM module is invalid: " + problems);

  llvm::PassBuilder builder(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager cycles;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(cycles);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, cycles, modules);

  // The default pipeline takes ten times as long and makes kernels no faster: the loops are already what they
  // should be. It would also unroll and vectorise again.
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG)); // registers leave memory; all else needs that
  passes.addPass(llvm::EarlyCSEPass());                         // shared parts of addresses
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(
      llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
  passes.addPass(llvm::SimplifyCFGPass());

  llvm::ModulePassManager pipeline;
  pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(passes)));
  pipeline.run(module, modules);
  for (llvm::Function &function : module)
    keepSelections(function);
}

} // namespace netc::codegen
