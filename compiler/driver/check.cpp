// netc check: gradients against finite differences, then one compiled step against the reference evaluator.
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/execution.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/random_batch.h"
#include "compiler/grad/check.h"
#include "compiler/graph/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace netc::driver {
namespace {

bool hasLoss(const graph::Graph &entry) {
  return std::any_of(entry.results.begin(), entry.results.end(),
                     [](const graph::Result &r) { return r.kind == graph::Result::Kind::Loss; });
}

/// trainStep, or else the first entry with a loss.
const graph::Graph &entryWithLoss(const graph::Module &module, const std::string &file) {
  if (const graph::Graph *step = module.entry("trainStep")) return *step;
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

/// The evaluator's trainStep on the same inputs and parameters, in float64.
graph::Values evaluateStep(const graph::Graph &step, CompiledModel &model, const RandomBatch &batch, std::size_t count) {
  graph::Values values;
  std::size_t slot = 0;
  for (const loop::Tensor *t : model.inputs()) values[step.find(t->name)] = batch.values(slot++, count);
  auto add = [&](const Tensor &t) {
    std::vector<float> now(t.size());
    t.get(now.data());
    values[step.find(t.name())] = {now.begin(), now.end()};
  };
  for (std::size_t i = 0; i < model.core().parameterCount(); ++i) add(model.core().parameter(i));
  for (std::size_t i = 0; i < model.core().stateCount(); ++i) add(model.core().state(i));
  graph::Evaluation how;
  how.count = static_cast<std::int64_t>(count);
  how.scalars.seed = model.core().seed();
  graph::evaluate(step, values, how);
  return values;
}

double largest(const std::vector<double> &v) {
  double most = 0;
  for (double x : v) most = std::max(most, std::fabs(x));
  return most;
}

/// The largest difference of the changes of a tensor relative to the largest change, less what rounding the new value to
/// float32 explains.
double updateError(const std::vector<double> &before, const std::vector<double> &expected, const Tensor &after) {
  std::vector<float> found(after.size());
  after.get(found.data());
  double worst = 0, change = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    worst = std::max(worst, std::fabs(static_cast<double>(found[i]) - expected[i]));
    change = std::max(change, std::fabs(expected[i] - before[i]));
    if (std::isnan(found[i])) return std::numeric_limits<double>::infinity();
  }
  worst = std::max(0.0, worst - std::numeric_limits<float>::epsilon() * largest(expected));
  return change > 0 ? worst / change : worst > 0 ? std::numeric_limits<double>::infinity() : 0;
}

bool checkStep(const graph::Module &source, const Options &o) {
  constexpr double tolerance = 1e-3; // of the largest change; float32 against float64
  constexpr std::size_t most = 17;   // a full block of samples and one more
  graph::Module module = source;
  differentiate(module);
  const graph::Graph &step = *module.entry("trainStep");
  CompiledModel model(o);
  RandomBatch batch(model, static_cast<std::uint64_t>(o.seed));
  std::size_t count = std::min(most, static_cast<std::size_t>(step.batch));
  graph::Values expected = evaluateStep(step, model, batch, count);
  float loss = model.core().trainStep(batch.data(), count);
  require(model.core().status(), model.core(), "one compiled step");
  double expectedLoss = 0, worst = 0;
  for (const graph::Result &r : step.results)
    if (r.kind == graph::Result::Kind::Loss) expectedLoss += expected.at(r.tensor).at(0);
  for (const graph::Next &n : step.next) {
    const std::string &name = step.tensors[static_cast<std::size_t>(n.state)].name;
    auto compare = [&](const Tensor &t) {
      if (name == t.name()) worst = std::max(worst, updateError(expected.at(n.state), expected.at(n.value), t));
    };
    for (std::size_t i = 0; i < model.core().parameterCount(); ++i) compare(model.core().parameter(i));
    for (std::size_t i = 0; i < model.core().stateCount(); ++i) compare(model.core().state(i));
  }
  bool passed = worst <= tolerance && std::fabs(loss - expectedLoss) <= tolerance * std::max(1e-3, std::fabs(expectedLoss));
  fmt::print("one compiled step of {} samples against the evaluator: loss {:.6g}, expected {:.6g}; largest difference of an "
             "update {:.2g} of its size: {}\n",
             count, loss, expectedLoss, worst, passed ? "passed" : "FAILED");
  return passed;
}

} // namespace

int checkCommand(const Options &o) {
  graph::Module module = sourceGraph(o);
  bool passed = checkGradientsOf(entryWithLoss(module, o.input), o);
  if (module.entry("trainStep")) passed = checkStep(module, o) && passed;
  return passed ? 0 : 1;
}

} // namespace netc::driver
