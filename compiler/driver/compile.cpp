// netc FILE: prints a stage, or writes C++, assembly, object files.
#include "compiler/driver/commands.h"
#include "compiler/driver/pipeline.h"
#include "compiler/graph/text.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

namespace netc::driver {
namespace {

const std::vector<std::string> stages = {"ast", "graph", "gradient", "optimized", "schedule", "loops", "cpp", "llvm"};

/// The stage to print when --emit is absent and passes are named.
std::string chosenStage(const Options &o) {
  if (!o.emit.empty()) {
    if (std::find(stages.begin(), stages.end(), o.emit) != stages.end()) return o.emit;
    std::string near = nearest(o.emit, stages);
    throw UserError(fmt::format("no stage '{}'; {}", o.emit,
                                near.empty() ? fmt::format("there are {}", fmt::join(stages, ", "))
                                             : fmt::format("did you mean '{}'?", near)));
  }
  if (o.passesGiven) return inputKind(o.input) == InputKind::Loops ? "loops" : "graph";
  return "";
}

std::string graphText(const Options &o, const std::string &stage) {
  graph::Module module = sourceGraph(o);
  bool asWritten = inputKind(o.input) == InputKind::Graph || stage == "graph";
  if (o.passesGiven || !asWritten) forwardPasses(module, o);
  if (stage != "graph") differentiate(module);
  if (stage == "optimized") completePasses(module, o);
  return graph::print(module);
}

std::string stageText(const Options &o, const std::string &stage) {
  if (stage == "ast") return syntaxTree(o);
  return graphText(o, stage);
}

} // namespace

int compileCommand(const Options &o) {
  std::string stage = chosenStage(o);
  if (stage.empty()) throw UserError("nothing to do: expected -o FILE or --emit=STAGE");
  std::string text = stageText(o, stage);
  if (o.output.empty()) std::cout << text;
  else writeFile(o.output, text);
  return 0;
}

} // namespace netc::driver
