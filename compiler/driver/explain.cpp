// netc explain: the derivation of a model's gradients.
#include "compiler/explain/explain.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/explain_page.h"
#include "compiler/driver/outputs.h"
#include "compiler/driver/pipeline.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace netc::driver {
namespace {

explain::Format chosenFormat(const Options &o) {
  std::string name = o.format;
  if (name.empty()) {
    const std::string extension = std::filesystem::path(o.output).extension();
    name = extension == ".md" || extension == ".tex" || extension == ".html" ? extension.substr(1) : "text";
  }
  const std::vector<std::string> &known = explain::formatNames();
  const auto found = std::find(known.begin(), known.end(), name);
  if (found == known.end()) throw UserError(unknownName("format", name, known));
  return static_cast<explain::Format>(found - known.begin());
}

/// That of training, or else the first entry with a loss.
const graph::Graph &entryWithLoss(const graph::Module &module, const std::string &file) {
  if (const graph::Graph *step = module.trainingEntry()) return *step;
  for (const graph::Graph &entry : module.entries)
    for (const graph::Result &r : entry.results)
      if (r.kind == graph::Result::Kind::Loss) return entry;
  throw UserError(fmt::format("'{}' has no loss, so there is no gradient to explain", file));
}

} // namespace

int explainCommand(const Options &o) {
  if (inputKind(o.input) == InputKind::Loops) throw UserError(fmt::format("'{}': expected a .net or .graph file", o.input));
  const explain::Format format = chosenFormat(o);
  const graph::Module module = sourceGraph(o);
  const graph::Graph &entry = entryWithLoss(module, o.input);
  if (std::none_of(entry.tensors.begin(), entry.tensors.end(),
                   [](const graph::Tensor &t) { return t.kind == graph::TensorKind::Param; }))
    throw UserError(fmt::format("'{}' has no parameters, so there is no gradient to explain", o.input));
  Diagnostics diagnostics;
  std::vector<explain::Anchor> anchors;
  std::string text = explain::explain(module.name, entry, module.entry("predict"), format, diagnostics, &anchors);
  if (diagnostics.hasErrors()) throw SourceError(diagnostics.str());
  if (format == explain::Format::Html) text = explainPage(o, module, entry, text, anchors);
  if (o.output.empty()) std::cout << text;
  else writeFile(o.output, text + signature(explain::formatNames()[static_cast<std::size_t>(format)]));
  return 0;
}

} // namespace netc::driver
