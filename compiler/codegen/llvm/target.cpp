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
#include <llvm/Transforms/IPO/MergeFunctions.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

namespace netc::codegen {

namespace {

Target nativeTarget() {
  Target target;
  target.cpu = llvm::sys::getHostCPUName().str();
  for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
    if (!target.features.empty()) target.features += ',';
    target.features += (feature.second ? "+" : "-") + feature.first().str();
    if (feature.first() == "avx512f") target.avx512 = feature.second;
  }
  return target;
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

} // namespace

Target findTarget(const std::string &name) {
  if (name.empty() || name == "native") return nativeTarget();
  if (name == "x86-64-v4") return {name, "", /*avx512=*/true};
  if (name == "x86-64-v3") return {name, "", /*avx512=*/false};
  throw UserError(fmt::format("unknown target '{}', expected x86-64-v3, x86-64-v4 or native", name));
}

llvm::TargetOptions targetOptions() {
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return options;
}

std::unique_ptr<llvm::TargetMachine> createTargetMachine() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  const std::string triple = llvm::sys::getDefaultTargetTriple();
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) internalError("llvm has no code generator for this machine: " + error);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, /*CPU=*/"", /*Features=*/"", targetOptions(), llvm::Reloc::PIC_));
}

void setAttributes(llvm::Function &function, const Target &target) {
  function.addFnAttr("target-cpu", target.cpu);
  if (!target.features.empty()) function.addFnAttr("target-features", target.features);
  // Both are needed: else LLVM splits every operation into halves on AVX-512 machines (2.5 times slower).
  const char *width = target.avx512 ? "512" : "256";
  function.addFnAttr("min-legal-vector-width", width);
  function.addFnAttr("prefer-vector-width", width);
  // Callers set FTZ and DAZ; constant folding must not assume otherwise.
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
