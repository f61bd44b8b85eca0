// netc check: gradients against finite differences, then compiled code against the reference evaluator.
#include "compiler/driver/commands.h"
#include "compiler/driver/check_compiled.h"
#include "compiler/driver/pipeline.h"
#include "compiler/grad/check.h"

#include <fmt/format.h>
#include <malloc.h>

#include <cstdio>

namespace netc::driver {
namespace {

bool checkGradientsOf(const graph::Module &module, const Options &o) {
  const graph::Graph *entry = entryWithLoss(module);
  if (!entry) {
    if (!o.quiet && !o.json) fmt::print("{} has no loss, so there are no gradients to check\n", module.name);
    return true;
  }
  grad::CheckOptions how;
  how.seed = static_cast<std::uint64_t>(o.seed);
  Diagnostics diagnostics;
  grad::CheckReport report = grad::checkGradients(*entry, how, diagnostics);
  if (diagnostics.hasErrors()) throw SourceError(diagnostics.str());
  const std::string title = fmt::format("gradients against central differences in float64, {} samples:\n", report.batch);
  if (o.json)
    fmt::print("{{\"check\": \"gradients\", \"samples\": {}, \"compared\": {}, \"passed\": {}}}\n", report.batch, report.compared(),
               report.passed());
  else
    fmt::print("{}{} values compared: {}\n", o.quiet && report.passed() ? "gradients: " : title + report.str(), report.compared(),
               report.passed() ? "passed" : "FAILED");
  std::fflush(stdout);
  return report.passed();
}

} // namespace

int checkCommand(const Options &o) {
  // Vectors as large as a parameter come and go: their pages stay, or getting them again takes a third of a large model's time.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  graph::Module module = sourceGraph(o);
  const std::function<bool()> compiledIsRight = compiledCheck(module, o); // the C++ compiler works meanwhile
  const bool passed = checkGradientsOf(module, o);
  return compiledIsRight() && passed ? 0 : 1;
}

} // namespace netc::driver
