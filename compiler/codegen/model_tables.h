// One shared description of a generated artefact: the constant tables of runtime/include/netc/abi.h, as data. Both back
// ends print these tables; neither knows what they mean. Also the text of the generated header, the same for both.
#pragma once

#include "compiler/codegen/shared_kernels.h"
#include "compiler/loop/loop.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace netc::codegen {

struct KernelRef { // a generated function
  int program;
  KernelIndex function;
};
struct TableRef { // pointer to the first row of an earlier table
  int table;
};
struct Null {};
using Field = std::variant<std::int64_t, double, std::string, KernelRef, TableRef, Null>; // string: const char *
struct Table {
  std::string name;  // a C identifier: "trainStepStages"
  std::string cType; // "NetcStage", "int64_t", "const char *"
  std::vector<std::vector<Field>> rows; // a scalar cType has one field a row
  std::vector<float> values{};          // of a "float" table, in place of rows
  std::vector<std::int64_t> words{};    // likewise of an "int64_t" table
};

/// The formulas of an entry as words, for the self-test (netc/self_test.h).
struct ReferenceEntry {
  std::string name;
  std::vector<std::int64_t> words;
  std::vector<RuntimeScalar> scalars;
};
using Reference = std::vector<ReferenceEntry>; // empty: the artefact has no self-test

/// Tables in dependency order; the last is the NetcModel, one row, whose symbol is modelSymbol().
/// All programs have the same interface (they differ in target), best target first.
std::vector<Table> modelTables(const std::vector<loop::Program> &, const std::vector<SharedKernels> &, const Reference &);

/// "lenet5_model": the one external symbol of an artefact besides the C functions of the header.
std::string modelSymbol(const loop::Program &);
/// The function names of a program's kernels, by entry and kernel: "trainStep_conv1", made a C identifier, plus the target's
/// suffix when there are several programs.
std::vector<std::vector<std::string>> kernelSymbols(const std::vector<loop::Program> &, int program);

/// The short name of a program's target, an identifier: "v4" of "x86-64-v4".
std::string targetSuffix(const loop::Program &);
/// A name made a C identifier: "conv1.weight" -> "conv1_weight".
std::string identifier(std::string_view);

/// The generated header (class Model, class Predictor, C interface), inline over netc/model.h and modelSymbol().
/// The programs have the same interface and differ in target.
std::string header(const std::vector<loop::Program> &, const std::string &sourceName, bool selfTest = false);

/// In C++ and LLVM alike, a register is declared in the innermost block that holds all its uses. For each register of a
/// kernel: the For/If statement whose body that is, or null for the kernel's own body. A register that carries a value
/// from one iteration of a loop to the next counts as used in the block that holds the loop. Registers without
/// uses give null.
std::vector<const loop::Statement *> registerScopes(const loop::Kernel &);

} // namespace netc::codegen
