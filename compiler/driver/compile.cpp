// netc FILE: prints a stage, or writes C++, LLVM IR, assembly or an object file, with the header beside it.
#include "compiler/codegen/highway/highway.h"
#include "compiler/codegen/llvm/llvm.h"
#include "compiler/codegen/model_tables.h"
#include "compiler/codegen/standalone.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/graphviz.h"
#include "compiler/driver/outputs.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/reference.h"
#include "compiler/graph/text.h"
#include "compiler/loop/text.h"
#include "compiler/support/targets.h"
#include "compiler/support/text_file.h"
#include "dsl/dsl.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>

namespace netc::driver {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> stages = {"ast",    "graph", "gradient", "optimized", "layouts", "schedule", "fusion",
                                         "memory", "dot",   "svg",      "loops",     "cpp",     "llvm"};

/// The stage to print; empty: the output file's extension says what to write.
std::string chosenStage(const Options &o) {
  if (o.emit.empty()) {
    if (!o.passesGiven) return "";
    return inputKind(o.input) == InputKind::Loops ? "loops" : "graph";
  }
  if (std::find(stages.begin(), stages.end(), o.emit) == stages.end()) throw UserError(unknownName("stage", o.emit, stages));
  return o.emit;
}

/// A file is read into the pipeline at its own stage; what stands before that in the list cannot be had.
void checkReachable(InputKind kind, const std::string &stage) {
  auto place = [](const char *name) { return std::find(stages.begin(), stages.end(), name); };
  auto first = kind == InputKind::Net ? stages.begin() : place(kind == InputKind::Graph ? "graph" : "loops");
  if (place(stage.c_str()) < first)
    throw UserError(fmt::format("--emit={}: the file is beyond that stage", stage));
}

/// A .graph file is differentiated as it stands (unless --pass names passes to run first); a .net file goes through the
/// forward passes.
std::string graphText(const Options &o, const std::string &stage) {
  graph::Module module = sourceGraph(o);
  bool fromSource = inputKind(o.input) == InputKind::Net && stage != "graph";
  if (o.passesGiven || fromSource || stage == "optimized") forwardPasses(module, o);
  if (stage != "graph") differentiate(module);
  if (stage == "optimized") completePasses(module, o);
  return graph::print(module);
}

std::string headerName(const std::string &output) { return fs::path(output).replace_extension(".h").filename().string(); }

/// An object file, and what becomes one, is for one architecture; C++ may hold several.
void requireOneArchitecture(const std::vector<std::string> &targets, const std::string &what) {
  for (const std::string &t : targets)
    if (findTarget(t).architecture != findTarget(targets[0]).architecture)
      throw UserError(fmt::format("{} is for one architecture, and --target names {} and {}; expected one of them, or -o NAME.cpp", what,
                                  targets[0], t));
}

std::string drawn(const std::string &dotText) {
  const std::string svg = graphviz(dotText);
  if (svg.empty()) throw UserError("--emit=svg needs graphviz, whose program 'dot' draws what --emit=dot prints");
  return svg;
}

std::string stageText(const Options &o, const std::string &stage) {
  checkReachable(inputKind(o.input), stage);
  if (stage == "ast") return syntaxTree(o);
  std::vector<std::string> targets = deploymentTargets(o);
  if (stage == "layouts") return layoutsText(o, targets[0]);
  if (stage == "schedule") return scheduleText(o, targets[0]);
  if (stage == "dot") return dotText(o, targets[0]);
  if (stage == "svg") return drawn(dotText(o, targets[0]));
  if (stage == "fusion") return fusionText(o, targets[0]);
  if (stage == "memory") return memoryPicture(o, targets[0]);
  if (stage == "loops") return loop::print(programs(o, {targets[0]})[0]);
  if (stage == "cpp") return codegen::highway(unrolled(programs(o, targets)), headerName(o.input), fs::path(o.input).filename());
  if (stage != "llvm") return graphText(o, stage);
  requireOneArchitecture(targets, "--emit=llvm");
  return codegen::llvm(unrolled(programs(o, targets)), codegen::LlvmOutput::Ir);
}

/// What was written, for the self-test.
codegen::Reference formulasOf(const Options &o, const std::vector<loop::Tensor> &tensors) {
  const graph::Module source = sourceGraph(o);
  graph::Module differentiated = source;
  differentiate(differentiated);
  return reference(source, differentiated, tensors);
}

/// The file's bytes by its extension.
std::string artefact(const Options &o, std::vector<loop::Program> compiled) {
  const codegen::Reference formulas = o.selfTest ? formulasOf(o, compiled[0].tensors) : codegen::Reference();
  std::string extension = fs::path(o.output).extension();
  if (extension == ".cpp") return codegen::highway(std::move(compiled), headerName(o.output), fs::path(o.input).filename(), formulas);
  using codegen::LlvmOutput;
  return codegen::llvm(compiled, extension == ".ll"   ? LlvmOutput::Ir
                                 : extension == ".bc" ? LlvmOutput::Bitcode
                                 : extension == ".s"  ? LlvmOutput::Assembly
                                                      : LlvmOutput::Object,
                       formulas);
}

/// A parameter or state of the store begins with the values that were read.
void takeValues(loop::Tensor &t, const Tensor &read, const std::string &file) {
  std::vector<float> values(read.size());
  read.get(values.data());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) throw UserError(fmt::format("'{}': element {} of {} is {}", file, i, t.name, values[i]));
  const auto asBefore = [&](float v) { return t.init == loop::Tensor::Init::Constant && v == static_cast<float>(t.initA); };
  if (std::all_of(values.begin(), values.end(), asBefore)) return; // an optimizer's state, say
  t.init = loop::Tensor::Init::Values;
  t.values = std::move(values);
}

/// Puts the values of --weights into the store. The runtime reads the file, and says what does not fit.
void takeWeights(std::vector<loop::Program> &compiled, const Options &o) {
  if (o.weights.empty()) return;
  loop::Program store = compiled[0];
  store.entries.clear();
  store.target = "native";
  CompiledModel model(std::move(store), o);
  std::size_t params = 0, states = 0;
  for (loop::Tensor &t : compiled[0].tensors) {
    if (t.role == loop::Tensor::Role::Param) takeValues(t, model.core().parameter(params++), o.weights);
    if (t.role == loop::Tensor::Role::State) takeValues(t, model.core().state(states++), o.weights);
  }
  for (loop::Program &other : compiled) other.tensors = compiled[0].tensors;
}

/// A file's name as make reads it.
std::string inRule(const std::string &path) {
  std::string out;
  for (const char c : fs::absolute(path).string())
    out += c == ' ' || c == '#' ? std::string("\\") + c : c == '$' ? "$$" : std::string(1, c);
  return out;
}

/// A make rule: all files that the output is made of.
std::string dependencies(const Options &o) {
  std::vector<std::string> files = {o.input};
  Diagnostics diagnostics; // told before, when the model was compiled
  if (inputKind(o.input) == InputKind::Net)
    for (const std::string &import : dsl::importedFiles(readFile(o.input), o.input, diagnostics)) files.push_back(import);
  for (const std::string &file : {o.weights, o.schedule, o.tuning})
    if (!file.empty()) files.push_back(file);
  std::string rule = inRule(o.output) + ":";
  for (const std::string &file : files) rule += " " + inRule(file);
  return rule + "\n";
}

/// All files or none.
void writeWithHeader(const Options &o) {
  const std::vector<std::string> known = {".cpp", ".ll", ".bc", ".s", ".o"};
  std::string extension = fs::path(o.output).extension();
  if (std::find(known.begin(), known.end(), extension) == known.end())
    throw UserError(fmt::format("-o {}: expected a name that ends in {}", o.output, fmt::join(known, ", ")));
  if (o.standalone && extension != ".cpp")
    throw UserError(fmt::format("--standalone writes C++: expected -o NAME.cpp, found '{}'", o.output));
  inputKind(o.input);
  const std::vector<std::string> targets = deploymentTargets(o);
  if (extension != ".cpp") requireOneArchitecture(targets, "-o " + o.output);
  std::vector<loop::Program> compiled = unrolled(programs(o, targets));
  takeWeights(compiled, o);
  std::string header = codegen::header(compiled, fs::path(o.input).filename(), o.selfTest);
  fs::path headerFile = fs::path(o.output).replace_extension(".h");
  requireWritable(o.output);
  requireWritable(headerFile);
  std::string source = artefact(o, std::move(compiled));
  if (o.standalone) codegen::makeStandalone(source, header, o.selfTest);
  if (!o.depfile.empty()) requireWritable(o.depfile);
  writeFile(o.output, source);
  writeFile(headerFile, header);
  if (!o.depfile.empty()) writeFile(o.depfile, dependencies(o));
}

} // namespace

int compileCommand(const Options &o) {
  inputKind(o.input); // a file of another kind is the first mistake to hear of
  std::string stage = chosenStage(o);
  if (o.selfTest && !stage.empty()) throw UserError("--selftest goes with -o FILE, not with a stage's text");
  if (!o.depfile.empty() && !stage.empty()) throw UserError("--depfile goes with -o FILE, not with a stage's text");
  if (o.standalone && !stage.empty()) throw UserError("--standalone goes with -o NAME.cpp, not with a stage's text");
  if (stage.empty() && o.output.empty()) {
    readFile(o.input); // a file that is not there, too
    throw UserError("nothing to do: expected -o FILE or --emit=STAGE");
  }
  if (stage.empty()) {
    writeWithHeader(o);
  } else {
    std::string text = stageText(o, stage);
    if (o.output.empty()) std::cout << text;
    else writeFile(o.output, text + signature(stage));
  }
  return 0;
}

} // namespace netc::driver
