#include "compiler/codegen/llvm/llvm.h"
#include "compiler/codegen/llvm/module.h"
#include "compiler/codegen/llvm/target.h"
#include "compiler/support/diagnostics.h"

#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Support/raw_ostream.h>

namespace netc::codegen {

namespace {

void generate(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type,
              llvm::raw_pwrite_stream &out) {
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, type))
    internalError("llvm cannot write this kind of file");
  passes.run(module);
}

} // namespace

std::string llvm(const std::vector<loop::Program> &programs, LlvmOutput output, const Reference &reference) {
  llvm::LLVMContext context;
  auto machine = createTargetMachine(architecture(programs));
  auto module = buildModule(context, programs, reference);
  optimize(*module, *machine);
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream out(bytes);
  switch (output) {
  case LlvmOutput::Ir: // llc's own default would put the tables, which hold addresses, into read-only memory
    out << "; clang -O2 -c takes this file as it is; llc needs -relocation-model=pic, besides -O2 -fp-contract=off\n";
    module->print(out, nullptr);
    break;
  case LlvmOutput::Bitcode: llvm::WriteBitcodeToFile(*module, out); break;
  case LlvmOutput::Assembly: generate(*module, *machine, llvm::CodeGenFileType::AssemblyFile, out); break;
  case LlvmOutput::Object: generate(*module, *machine, llvm::CodeGenFileType::ObjectFile, out); break;
  }
  return std::string(bytes.str());
}

} // namespace netc::codegen
