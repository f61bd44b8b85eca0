#include "compiler/codegen/llvm/join.h"
#include "compiler/codegen/llvm/llvm.h"
#include "compiler/codegen/llvm/module.h"
#include "compiler/codegen/llvm/target.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/in_parallel.h"

#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Support/raw_ostream.h>

namespace netc::codegen {

namespace {

std::string generated(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type) {
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, type)) internalError("llvm cannot write this kind of file");
  passes.run(module);
  return std::string(bytes.str());
}

/// Parts are compiled side by side, and joined in their order: the bytes do not depend on the number of processors.
std::string objectFile(const std::vector<loop::Program> &programs, const Reference &reference) {
  const ModuleBuilder builder(programs);
  std::vector<std::string> objects(builder.partCount());
  onAllProcessors(objects.size(), [&](std::size_t i) {
    llvm::LLVMContext context;
    context.setDiscardValueNames(true);
    auto machine = createTargetMachine(architecture(programs));
    auto module = builder.part(context, i, reference);
    optimize(*module, *machine);
    objects[i] = generated(*module, *machine, llvm::CodeGenFileType::ObjectFile);
  });
  return joined(objects);
}

std::string assembly(llvm::Module &module, llvm::TargetMachine &machine) {
  return generated(module, machine, llvm::CodeGenFileType::AssemblyFile);
}

std::string bitcode(const llvm::Module &module) {
  std::string bytes;
  llvm::raw_string_ostream out(bytes);
  llvm::WriteBitcodeToFile(module, out);
  return bytes;
}

std::string text(const llvm::Module &module) {
  // llc's own default would put the tables, which hold addresses, into read-only memory
  std::string ir = "; clang -O2 -c takes this file as it is; llc needs -relocation-model=pic, besides -O2 -fp-contract=off\n";
  llvm::raw_string_ostream out(ir);
  module.print(out, nullptr);
  return ir;
}

} // namespace

std::string llvm(const std::vector<loop::Program> &programs, LlvmOutput output, const Reference &reference) {
  if (output == LlvmOutput::Object) return objectFile(programs, reference);
  llvm::LLVMContext context;
  auto machine = createTargetMachine(architecture(programs));
  auto module = ModuleBuilder(programs).whole(context, reference);
  optimize(*module, *machine);
  return output == LlvmOutput::Ir ? text(*module) : output == LlvmOutput::Bitcode ? bitcode(*module) : assembly(*module, *machine);
}

} // namespace netc::codegen
