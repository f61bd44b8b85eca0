#include "compiler/driver/check_compiled.h"

#include "compiler/driver/bytes.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/random_batch.h"
#include "compiler/grad/differentiate.h"
#include "compiler/graph/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

namespace netc::driver {
namespace {

constexpr double mostSamples = 17;      // a full block of samples and one more
constexpr double fewestSamples = 2;
constexpr double evaluatedWork = 4e9;   // operations for all entries
constexpr double updateTolerance = 1e-3; // of the largest change of a tensor
constexpr double roundingFactor = 16;    // of what rounding to float32 makes of a tensor
constexpr double evaluatorShare = 16;   // how much worse than the float32 evaluator compiled code may be,
constexpr double freeUlps = 4;          // which counts as that much worse than it is
constexpr int batches = 3;              // drawn until decisions fall alike
constexpr double sourceRounding = 1e-12; // of the largest value
constexpr std::size_t resultLimit = 48; // gradients in one entry; the runtime takes 64
constexpr double boundedWork = 3e7;     // operations of an entry that the slow analysis of errors takes on

using graph::Graph;
using graph::Values;

bool hasLoss(const Graph &entry) {
  return std::any_of(entry.results.begin(), entry.results.end(),
                     [](const graph::Result &r) { return r.kind == graph::Result::Kind::Loss; });
}

/// That of training, or else the first entry with a loss; null: there is none.
const Graph *entryWithLoss(const graph::Module &module) {
  if (const Graph *step = module.trainingEntry()) return step;
  auto found = std::find_if(module.entries.begin(), module.entries.end(), hasLoss);
  return found == module.entries.end() ? nullptr : &*found;
}

/// Entries "gradient", "gradient2", ... whose outputs are the gradients of all parameters, placeholders still. They come first:
/// a training step changes the parameters.
void addGradientEntries(graph::Module &module) {
  const Graph *from = entryWithLoss(module);
  if (!from) return;
  Graph entry = *from;
  entry.next.clear();
  entry.every = 0;
  std::erase_if(entry.results, [](const graph::Result &r) { return r.kind != graph::Result::Kind::Loss; });
  grad::askForGradients(entry);
  std::vector<Graph> entries;
  for (std::size_t t = 0; t < entry.tensors.size(); ++t) {
    if (entry.tensors[t].kind != graph::TensorKind::Gradient) continue;
    if (entries.empty() || entries.back().results.size() >= resultLimit) {
      entries.push_back(entry);
      entries.back().name = fmt::format("gradient{}", entries.size() > 1 ? std::to_string(entries.size()) : "");
    }
    const std::string &of = entry.tensors[static_cast<std::size_t>(entry.tensors[t].of)].name;
    entries.back().results.push_back({graph::Result::Kind::Output, of, static_cast<int>(t)});
  }
  module.entries.insert(module.entries.begin(), entries.begin(), entries.end());
}

/// An update follows the call whose gradients it takes.
void applyLast(graph::Module &module) {
  std::stable_partition(module.entries.begin(), module.entries.end(), [](const Graph &g) { return g.name != "apply"; });
}

double largest(const std::vector<double> &v) {
  double most = 0;
  for (double x : v) most = std::max(most, std::fabs(x));
  return most;
}

/// 0 for what is equal, infinities and NaN included.
double distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::infinity() : std::fabs(a - b);
}

double worstDistance(const std::vector<double> &a, const std::vector<double> &b) {
  double worst = 0;
  for (std::size_t i = 0; i < b.size(); ++i) worst = std::max(worst, distance(a.at(i), b[i]));
  return worst;
}

/// One unit in the last place of a float32 of this size.
double ulp(double size) {
  if (!std::isfinite(size)) return 1;
  int exponent = 0;
  std::frexp(std::max(size, static_cast<double>(std::numeric_limits<float>::min())), &exponent);
  return std::ldexp(1, exponent - std::numeric_limits<float>::digits);
}

std::vector<double> valuesOf(const Tensor &t) {
  std::vector<float> values(t.size());
  t.get(values.data());
  return {values.begin(), values.end()};
}

/// What one entry gives.
struct Outcome {
  std::vector<std::vector<double>> results; // as Graph::results
  std::map<std::string, std::vector<double>> store; // after the call
};

class CompiledCheck {
public:
  CompiledCheck(const graph::Module &source, const Options &o)
      : reference(source), optimized(prepared(reference, o)), model(optimized, o), batch(model, 0), seed(o.seed),
        count(affordableSamples()) {}

  bool run() {
    const std::map<std::string, std::vector<double>> initial = store();
    for (int k = 0; k < batches && (k == 0 || (!failures.empty() && !isWrong)); ++k) {
      lines.clear();
      failures.clear();
      compared = bounded = 0;
      restore(initial);
      batch = RandomBatch(model, static_cast<std::uint64_t>(seed + k));
      for (const Graph &entry : reference.entries) compareEntry(entry);
    }
    report();
    return failures.empty();
  }

private:
  /// Differentiates `reference`, too.
  static graph::Module prepared(graph::Module &reference, const Options &o) {
    addGradientEntries(reference);
    applyLast(reference);
    graph::Module optimized = reference;
    forwardPasses(optimized, o);
    differentiate(optimized);
    completePasses(optimized, o);
    differentiate(reference);
    return optimized;
  }

  /// A full block of samples and one more; fewer of a large model.
  std::size_t affordableSamples() const {
    double work = 0; // of one sample, in float32 and float64
    for (const Graph &g : reference.entries) work += 2 * graph::evaluationWork(g) / static_cast<double>(g.batch);
    const double affordable = std::clamp(evaluatedWork / work, fewestSamples, mostSamples);
    return static_cast<std::size_t>(std::min(affordable, static_cast<double>(reference.batch)));
  }

  void report() const {
    std::size_t width = 0;
    for (const Line &line : lines) width = std::max(width, line.name.size());
    fmt::print("compiled code against the float64 evaluator, {} samples; the largest difference in each tensor, in ulp of its "
               "largest value:\n{:<{}}  compiled  float32 evaluator\n",
               count, "", width);
    for (const Line &line : lines) fmt::print("{:<{}}  {:>8.3g}  {:>17.3g}\n", line.name, width, line.compiled, line.evaluator);
    for (const std::string &failure : failures) fmt::print("error: {}\n", failure);
    fmt::print("{} values compared, {} of them with a computed bound: {}\n", compared, bounded,
               failures.empty() ? "passed" : "FAILED");
  }

  std::map<std::string, std::vector<double>> store() {
    std::map<std::string, std::vector<double>> values;
    for (std::size_t i = 0; i < model.core().parameterCount(); ++i)
      values[model.core().parameter(i).name()] = valuesOf(model.core().parameter(i));
    for (std::size_t i = 0; i < model.core().stateCount(); ++i)
      values[model.core().state(i).name()] = valuesOf(model.core().state(i));
    return values;
  }

  void restore(const std::map<std::string, std::vector<double>> &values) {
    auto set = [&](Tensor t) {
      const std::vector<double> &v = values.at(t.name());
      t.set(std::vector<float>(v.begin(), v.end()).data());
    };
    for (std::size_t i = 0; i < model.core().parameterCount(); ++i) set(model.core().parameter(i));
    for (std::size_t i = 0; i < model.core().stateCount(); ++i) set(model.core().state(i));
    model.core().setStep(0);
  }

  Values given(const Graph &g) {
    Values values;
    std::size_t slot = 0;
    for (const loop::Tensor *t : model.inputs()) values[g.find(t->name)] = batch.values(slot++, count);
    for (auto &[name, v] : store()) values[g.find(name)] = v;
    return values;
  }

  Values evaluated(const Graph &g, graph::Precision precision) {
    Values values = given(g);
    graph::Evaluation how;
    how.precision = precision;
    how.count = static_cast<std::int64_t>(count);
    how.scalars.seed = model.core().seed();
    graph::evaluate(g, values, how);
    return values;
  }

  Outcome compiled(const Graph &g) {
    std::vector<std::vector<unsigned char>> memory;
    std::vector<void *> out;
    for (const graph::Result &r : g.results) {
      const graph::Tensor &t = g.tensors[static_cast<std::size_t>(r.tensor)];
      std::size_t n = static_cast<std::size_t>(byteSize(t.dtype));
      for (const graph::Extent &e : t.shape) n *= e.batch ? count : static_cast<std::size_t>(e.size);
      memory.emplace_back(n);
    }
    for (auto &m : memory) out.push_back(m.data());
    const Status status = model.core().run(g.name.c_str(), batch.data(), out.data(), count);
    require(status, model.core(), fmt::format("running {}", g.name));
    Outcome outcome;
    for (std::size_t r = 0; r < memory.size(); ++r)
      outcome.results.push_back(fromBytes(memory[r], g.tensors[static_cast<std::size_t>(g.results[r].tensor)].dtype));
    outcome.store = store();
    return outcome;
  }

  void compareEntry(const Graph &g) {
    const Values expected = evaluated(g, graph::Precision::Float64), single = evaluated(g, graph::Precision::Float32);
    const Graph &fast = *optimized.entry(g.name);
    Values values = given(fast), errors;
    const bool analysed = graph::evaluationWork(fast) * static_cast<double>(count) <= boundedWork * static_cast<double>(fast.batch);
    graph::Evaluation how;
    how.count = static_cast<std::int64_t>(count);
    how.scalars.seed = model.core().seed();
    if (analysed) graph::evaluateWithBound(fast, values, errors, how);
    const Outcome found = compiled(g);
    auto bound = [&](int tensor) -> const std::vector<double> * {
      auto e = errors.find(tensor);
      return analysed && e != errors.end() ? &e->second : nullptr;
    };
    largestResult = 0;
    for (const graph::Result &r : g.results) largestResult = std::max(largestResult, largest(expected.at(r.tensor)));
    for (std::size_t r = 0; r < g.results.size(); ++r) {
      if (g.name.starts_with("gradient") && g.results[r].kind == graph::Result::Kind::Loss) continue;
      const int t = g.results[r].tensor;
      compare(g.name + " " + g.results[r].name, found.results[r], expected.at(t), single.at(t),
              bound(fast.results[r].tensor));
    }
    for (const graph::Next &n : g.next) {
      const std::string &name = g.tensors[static_cast<std::size_t>(n.state)].name;
      auto same = std::find_if(fast.next.begin(), fast.next.end(), [&](const graph::Next &m) {
        return fast.tensors[static_cast<std::size_t>(m.state)].name == name;
      });
      const std::vector<double> &want = expected.at(n.value), &after = found.store.at(name);
      compare(g.name + " " + name, after, want, single.at(n.value), same == fast.next.end() ? nullptr : bound(same->value));
      const double change = worstDistance(want, expected.at(n.state)), worst = worstDistance(after, want);
      // What rounding alone makes of the formulas: a value that is zero but for it says nothing (a bias before a batch norm).
      const double rounding = worstDistance(single.at(n.value), want);
      if (worst > updateTolerance * change + ulp(largest(want)) + roundingFactor * rounding)
        failures.push_back(fmt::format("{} {}: off by {:.3g}, but it changes by {:.3g} only", g.name, name, worst, change));
    }
  }

  void compare(const std::string &what, const std::vector<double> &found, const std::vector<double> &want,
               const std::vector<double> &single, const std::vector<double> *bound) {
    const double unit = ulp(largest(want));
    const double worst = worstDistance(found, want) / unit, usual = worstDistance(single, want) / unit;
    lines.push_back({what, worst, usual});
    compared += want.size();
    if (worst > evaluatorShare * (usual + freeUlps))
      failures.push_back(fmt::format("{}: the largest difference is {:.3g} ulp, expected at most {:.3g}", what, worst,
                                     evaluatorShare * (usual + freeUlps)));
    if (bound) compareWithBound(what, found, want, *bound);
  }

  void compareWithBound(const std::string &what, const std::vector<double> &found, const std::vector<double> &want,
                        const std::vector<double> &bound) {
    // Of the source's formulas against the optimized ones: where those are 0, these may be all rounding.
    const double rounding = sourceRounding * std::max(largest(want), largestResult);
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (!std::isfinite(bound.at(i)) || !std::isfinite(want[i])) continue;
      ++bounded;
      const double allowed = bound[i] + rounding;
      if (distance(found[i], want[i]) <= allowed) continue;
      isWrong = true;
      failures.push_back(
          fmt::format("{}: element {} is {:.9g}, expected {:.9g} within {:.3g}", what, i, found[i], want[i], allowed));
      return;
    }
  }

  graph::Module reference, optimized;
  CompiledModel model;
  RandomBatch batch;
  std::int64_t seed;
  std::size_t count;
  struct Line { // of the table
    std::string name;
    double compiled, evaluator;
  };
  std::vector<Line> lines;
  std::size_t compared = 0, bounded = 0;
  double largestResult = 0; // of the entry being compared
  std::vector<std::string> failures;
  bool isWrong = false; // outside a bound: no other batch makes that right
};

} // namespace

bool checkCompiled(const graph::Module &source, const Options &o) { return CompiledCheck(source, o).run(); }

} // namespace netc::driver
