// Prints loop programs as LLVM IR, compiles them to files, or runs them in this process.
#pragma once

#include "compiler/codegen/model_tables.h"
#include "compiler/loop/loop.h"

#include <memory>
#include <string>
#include <vector>

struct NetcModel;

namespace netc::codegen {

enum class LlvmOutput { Ir, Bitcode, Assembly, Object };

/// The bytes of a .ll, .bc, .s or .o for the programs, each compiled for its own target; all of one architecture
/// (compiler/support/targets.h). Exports modelSymbol(). Requires unrolled kernels. All four
/// kinds hold the code after the pass pipeline: an .ll is what llc takes next (`llc -O2 -fp-contract=off
/// -relocation-model=pic`), with each function's own target. An object is compiled on all processors; its bytes do not depend on
/// how many there are.
std::string llvm(const std::vector<loop::Program> &, LlvmOutput, const Reference & = {});

/// A program compiled into this process; `model` lives as long as this object.
class Jit {
 public:
  explicit Jit(const loop::Program &, const Reference & = {});
  ~Jit();
  Jit(const Jit &) = delete;
  Jit &operator=(const Jit &) = delete;
  const NetcModel *model() const;

 private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace netc::codegen
