// netc check: gradients against finite differences, then compiled code against the reference evaluator.
#include "compiler/driver/commands.h"
#include "compiler/driver/check_compiled.h"
#include "compiler/driver/pipeline.h"
#include "compiler/grad/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace netc::driver {
namespace {

bool hasLoss(const graph::Graph &entry) {
  return std::any_of(entry.results.begin(), entry.results.end(),
                     [](const graph::Result &r) { return r.kind == graph::Result::Kind::Loss; });
}

/// That of training, or else the first entry with a loss.
const graph::Graph &entryWithLoss(const graph::Module &module, const std::string &file) {
  if (const graph::Graph *step = module.trainingEntry()) return *step;
  for (const graph::Graph &entry : module.entries)
    if (hasLoss(entry)) return entry;
  throw UserError(fmt::format("'{}' has no loss, so there is no gradient to check", file));
}

bool checkGradientsOf(const graph::Graph &entry, const Options &o) {
  grad::CheckOptions how;
  how.seed = static_cast<std::uint64_t>(o.seed);
  Diagnostics diagnostics;
  grad::CheckReport report = grad::checkGradients(entry, how, diagnostics);
  if (diagnostics.hasErrors()) throw SourceError(diagnostics.str());
  fmt::print("gradients against central differences in float64:\n{}{} values compared: {}\n", report.str(), report.compared(),
             report.passed() ? "passed" : "FAILED");
  std::fflush(stdout);
  return report.passed();
}

} // namespace

int checkCommand(const Options &o) {
  graph::Module module = sourceGraph(o);
  bool passed = checkGradientsOf(entryWithLoss(module, o.input), o);
  passed = checkCompiled(module, o) && passed;
  return passed ? 0 : 1;
}

} // namespace netc::driver
