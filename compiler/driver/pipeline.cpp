#include "compiler/driver/pipeline.h"

#include "compiler/driver/messages.h"
#include "compiler/grad/differentiate.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verifier.h"
#include "compiler/passes/passes.h"
#include "compiler/support/in_parallel.h"
#include "compiler/support/text_file.h"
#include "dsl/dsl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace netc::driver {
namespace {

/// Throws if there are errors; prints warnings.
void settle(const Diagnostics &diagnostics) {
  if (diagnostics.hasErrors()) throw SourceError(diagnostics.str());
  if (!diagnostics.entries().empty()) complain(diagnostics.str());
}

void printAfter(const graph::Module &module, const graph::Graph &entry, std::string_view pass) {
  graph::Module one{module.name, module.batch, {entry}, module.winograd4};
  fmt::print(stderr, "# after {} ({})\n{}\n", pass, entry.name, graph::print(one));
}

void runPasses(std::span<const passes::Pass> list, graph::Module &module, const Options &options) {
  const auto runOn = [&](graph::Graph &entry) {
    passes::run(list, entry, [&](std::string_view pass) {
      if (options.printAfterAll) printAfter(module, entry, pass);
    });
  };
  if (options.printAfterAll) std::for_each(module.entries.begin(), module.entries.end(), runOn); // texts one after the other
  else inParallel(module.entries.size(), [&](std::size_t i) { runOn(module.entries[i]); });
}

std::vector<passes::Pass> namedPasses(const std::vector<std::string> &names) {
  std::vector<std::string> known;
  for (const passes::Pass &p : passes::allPasses()) known.emplace_back(p.name);
  std::vector<passes::Pass> found;
  for (const std::string &name : names) {
    const passes::Pass *p = passes::findPass(name);
    if (!p) throw UserError(unknownName("graph pass", name, known));
    found.push_back(*p);
  }
  return found;
}

bool hasPlaceholders(const graph::Graph &entry) {
  return std::any_of(entry.tensors.begin(), entry.tensors.end(),
                     [](const graph::Tensor &t) { return t.kind == graph::TensorKind::Gradient; });
}

} // namespace

InputKind inputKind(const std::string &path) {
  if (path.ends_with(".net")) return InputKind::Net;
  if (path.ends_with(".graph")) return InputKind::Graph;
  if (path.ends_with(".loops")) return InputKind::Loops;
  throw UserError(fmt::format("'{}': expected a file that ends in .net, .graph or .loops", path));
}

std::string syntaxTree(const Options &options) {
  Diagnostics diagnostics;
  std::string text = dsl::printAst(readFile(options.input), options.input, diagnostics);
  settle(diagnostics);
  return text;
}

graph::Module sourceGraph(const Options &options) {
  std::string text = readFile(options.input);
  Diagnostics diagnostics;
  if (inputKind(options.input) == InputKind::Net) {
    auto module =
        dsl::compile(text, options.input,
                     {options.batch, options.set, options.plan, options.allPlans, options.augment, options.predictOnly}, diagnostics);
    settle(diagnostics);
    if (!module) internalError("the language gave neither a graph nor an error");
    module->winograd4 = !options.fastMath.empty();
    return std::move(*module);
  }
  graph::Module module = graph::parse(text, options.input, diagnostics);
  if (!diagnostics.hasErrors()) graph::verify(module, diagnostics);
  settle(diagnostics);
  module.winograd4 |= !options.fastMath.empty();
  return module;
}

void forwardPasses(graph::Module &module, const Options &options) {
  if (options.passesGiven) runPasses(namedPasses(options.passes), module, options);
  else runPasses(passes::forwardPipeline(), module, options);
}

void differentiate(graph::Module &module) {
  Diagnostics diagnostics;
  for (graph::Graph &entry : module.entries)
    if (hasPlaceholders(entry)) grad::differentiate(entry, diagnostics);
    else grad::dropGivenDerivatives(entry);
  settle(diagnostics);
  if (!graph::verify(module, diagnostics)) internalError("after differentiation:\n" + diagnostics.str());
}

void completePasses(graph::Module &module, const Options &options) {
  runPasses(passes::completePipeline(), module, options);
}

graph::Module optimizedGraph(const Options &options) {
  graph::Module module = sourceGraph(options);
  forwardPasses(module, options);
  differentiate(module);
  completePasses(module, options);
  return module;
}

} // namespace netc::driver
