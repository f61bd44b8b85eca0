#include "compiler/driver/check_compiled.h"

#include "compiler/driver/bytes.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/cpp_model.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/random_batch.h"
#include "compiler/grad/differentiate.h"
#include "compiler/graph/evaluator.h"
#include "compiler/support/entry_name.h"
#include "compiler/support/in_parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
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
constexpr const char *gradientEntry = "gradient";
constexpr double boundedWork = 3e7;     // operations of an entry that the slow analysis of errors takes on

using graph::Graph;
using graph::Values;

bool hasLoss(const Graph &entry) {
  return std::any_of(entry.results.begin(), entry.results.end(),
                     [](const graph::Result &r) { return r.kind == graph::Result::Kind::Loss; });
}

using Gradients = std::vector<std::pair<int, int>>; // parameter, gradient

/// The placeholders of an entry for the gradients of parameters.
Gradients parameterGradients(const Graph &entry) {
  Gradients gradients;
  for (std::size_t t = 0; t < entry.tensors.size(); ++t)
    if (const graph::Tensor &x = entry.tensors[t];
        x.kind == graph::TensorKind::Gradient && entry.tensors[static_cast<std::size_t>(x.of)].kind == graph::TensorKind::Param)
      gradients.push_back({x.of, static_cast<int>(t)});
  return gradients;
}

/// With the gradients of all parameters where the loss is, and an update after the call whose gradients it takes.
graph::Module withAllGradients(graph::Module module) {
  if (const Graph *from = entryWithLoss(module)) grad::askForGradients(*module.entry(from->name));
  std::stable_partition(module.entries.begin(), module.entries.end(), [](const Graph &g) { return roleOf(g.name) != "apply"; });
  return module;
}

/// An entry whose update puts the gradient of each parameter in the parameter's place: an entry has fewer outputs than a
/// network may have parameters.
Graph asGradientEntry(Graph entry) {
  grad::askForGradients(entry);
  entry.name = gradientEntry;
  entry.next.clear();
  entry.every = 0;
  std::erase_if(entry.results, [](const graph::Result &r) { return r.kind != graph::Result::Kind::Loss; });
  for (auto [parameter, gradient] : parameterGradients(entry)) entry.next.push_back({parameter, gradient});
  return entry;
}

double largest(const std::vector<double> &v) {
  return largestOf(v.size(), [&](std::size_t i) { return std::fabs(v[i]); });
}

/// 0 for what is equal, infinities and NaN included.
double distance(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<double>::infinity() : std::fabs(a - b);
}

template <class T, class U> double worstDistance(const std::vector<T> &a, const std::vector<U> &b) {
  return largestOf(b.size(), [&](std::size_t i) { return distance(a.at(i), b[i]); });
}

/// One unit in the last place of a float32 of this size.
double ulp(double size) {
  if (!std::isfinite(size)) return 1;
  int exponent = 0;
  std::frexp(std::max(size, static_cast<double>(std::numeric_limits<float>::min())), &exponent);
  return std::ldexp(1, exponent - std::numeric_limits<float>::digits);
}

std::vector<float> valuesOf(const Tensor &t) {
  std::vector<float> values(t.size());
  t.get(values.data());
  return values;
}

class CompiledCheck {
public:
  CompiledCheck(const graph::Module &source, const Options &o)
      : options(o), reference(withAllGradients(source)), optimized(withGradientEntry(source)),
        program(lowered(optimizedFor(o), hostTarget(o), o)) {
    if (!o.engine.empty() && o.engine != "jit" && o.engine != "cpp")
      throw UserError(fmt::format("--engine {}: expected jit or cpp", o.engine));
    if (const Graph *entry = entryWithLoss(reference)) gradients = parameterGradients(*entry);
    differentiate(reference);
    count = affordableSamples();
    if (o.engine != "jit") cpp.emplace(program, /*optimized=*/count == fewestSamples); // of a large model
  }

  bool run() {
    loadBackEnds();
    const Values initial = store();
    for (int k = 0; k < batches && (k == 0 || (!failures.empty() && !isWrong)); ++k) {
      lines.clear();
      failures.clear();
      compared = bounded = 0;
      reset(initial);
      batch.emplace(backEnds.front().model, static_cast<std::uint64_t>(options.seed + k));
      for (const Graph &entry : reference.entries) checkEntry(entry, roleOf(entry.name) == "apply" ? store() : initial);
    }
    report();
    return failures.empty();
  }

private:
  struct BackEnd {
    std::string name;
    CompiledModel model;
  };

  void loadBackEnds() {
    if (options.engine != "cpp") backEnds.push_back({"LLVM", CompiledModel(program, options)});
    if (!cpp) return;
    if (const NetcModel *made = cpp->load()) backEnds.push_back({"C++", CompiledModel(program, options, made)});
    else if (options.engine != "cpp")
      note = fmt::format("note: there is no '{}' ($CXX names another compiler), so the generated C++ was not compared\n", cpp->compiler());
    else throw UserError(fmt::format("--engine cpp: there is no '{}'; $CXX names another compiler", cpp->compiler()));
  }

  /// of(back end) of each.
  template <class Of> auto ofEach(Of of) {
    std::vector<decltype(of(backEnds.front().model))> all;
    for (BackEnd &b : backEnds) all.push_back(of(b.model));
    return all;
  }

  static graph::Module withGradientEntry(graph::Module module) {
    if (const Graph *from = entryWithLoss(module)) module.entries.push_back(asGradientEntry(*from));
    return module;
  }

  const graph::Module &optimizedFor(const Options &o) {
    forwardPasses(optimized, o);
    differentiate(optimized);
    completePasses(optimized, o);
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
    if (options.json) {
      fmt::print("{{\"check\": \"compiled\", \"samples\": {}, \"compared\": {}, \"bounded\": {}, \"passed\": {}}}\n",
                 count, compared, bounded, failures.empty());
      return;
    }
    if (options.quiet && failures.empty()) fmt::print("compiled code: ");
    else reportTensors();
    fmt::print("{}", note);
    fmt::print("{} values compared, {} of them with a computed bound: {}\n", compared, bounded,
               failures.empty() ? "passed" : "FAILED");
  }

  void reportTensors() const {
    std::size_t width = 0;
    for (const Line &line : lines) width = std::max(width, line.name.size());
    fmt::print("compiled code against the float64 evaluator, {} samples; the largest difference in each tensor, in ulp of its "
               "largest value:\n{:<{}}",
               count, "", width);
    for (const BackEnd &b : backEnds) fmt::print("  {:>8}", b.name);
    fmt::print("  float32 evaluator\n");
    for (const Line &line : lines)
      if (line.evaluator == 0 || line.evaluator < line.size) {
        fmt::print("{:<{}}", line.name, width);
        for (double compiled : line.compiled) fmt::print("  {:>8.3g}", compiled);
        fmt::print("  {:>17.3g}\n", line.evaluator);
      } else { // in ulp of what is all rounding, the differences would look large
        fmt::print("{:<{}}  zero but for rounding: {:.2g}, float32 evaluator {:.2g}\n", line.name, width,
                   *std::max_element(line.compiled.begin(), line.compiled.end()) * line.unit, line.evaluator * line.unit);
      }
    for (const std::string &failure : failures) fmt::print("error: {}\n", failure);
  }

  /// Of parameters and states, which have the same numbers in all entries.
  Values store() {
    Values values;
    for (Tensor t : stored(backEnds.front().model)) { // the same in all
      const std::vector<float> v = valuesOf(t);
      values[reference.entries.front().find(t.name())] = {v.begin(), v.end()};
    }
    return values;
  }

  /// To these parameters and states, and the first step.
  void reset(const Values &values) {
    for (BackEnd &b : backEnds) {
      for (Tensor t : stored(b.model)) {
        const std::vector<double> &v = values.at(reference.entries.front().find(t.name()));
        t.set(std::vector<float>(v.begin(), v.end()).data());
      }
      b.model.core().setStep(0);
    }
  }

  static std::vector<Tensor> stored(CompiledModel &model) {
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < model.core().parameterCount(); ++i) tensors.push_back(model.core().parameter(i));
    for (std::size_t i = 0; i < model.core().stateCount(); ++i) tensors.push_back(model.core().state(i));
    return tensors;
  }

  std::vector<std::vector<float>> storedValues(const std::string &name) {
    return ofEach([&](CompiledModel &model) {
      for (Tensor t : stored(model))
        if (t.name() == name) return valuesOf(t);
      internalError(fmt::format("the compiled model has no '{}'", name));
    });
  }

  Values inputs(const Graph &g) const {
    Values values;
    std::size_t slot = 0;
    for (const loop::Tensor *t : backEnds.front().model.inputs()) values[g.find(t->name)] = batch->values(slot++, count);
    return values;
  }

  graph::Evaluation evaluation(const Values &store, graph::Precision precision = graph::Precision::Float64) {
    graph::Evaluation how;
    how.precision = precision;
    how.count = static_cast<std::int64_t>(count);
    how.scalars.seed = backEnds.front().model.core().seed();
    how.given = &store;
    return how;
  }

  Values evaluated(const Graph &g, const Values &store, graph::Precision precision, const std::vector<int> &wanted) {
    Values values = inputs(g);
    graph::evaluate(g, values, evaluation(store, precision), wanted);
    return values;
  }

  /// The bounds of the errors in the entry as it is compiled; empty where that would take too long.
  Values errorBounds(const Graph &compiled, const Values &store) {
    Values errors;
    if (graph::evaluationWork(compiled) * static_cast<double>(count) > boundedWork * static_cast<double>(compiled.batch)) return errors;
    Values values = inputs(compiled);
    values.insert(store.begin(), store.end());
    graph::evaluateWithBound(compiled, values, errors, evaluation(store));
    return errors;
  }

  /// The results of a call.
  std::vector<std::vector<double>> called(CompiledModel &model, const Graph &g) {
    std::vector<std::vector<unsigned char>> memory;
    std::vector<void *> out;
    for (const graph::Result &r : g.results) {
      const graph::Tensor &t = g.tensors[static_cast<std::size_t>(r.tensor)];
      std::size_t n = static_cast<std::size_t>(byteSize(t.dtype));
      for (const graph::Extent &e : t.shape) n *= e.batch ? count : static_cast<std::size_t>(e.size);
      memory.emplace_back(n);
    }
    for (auto &m : memory) out.push_back(m.data());
    require(model.core().run(g.name.c_str(), batch->data(), out.data(), count), model.core(), fmt::format("running {}", g.name));
    std::vector<std::vector<double>> results;
    for (std::size_t r = 0; r < memory.size(); ++r)
      results.push_back(fromBytes(memory[r], g.tensors[static_cast<std::size_t>(g.results[r].tensor)].dtype));
    return results;
  }

  /// What the evaluator makes of an entry, in both precisions.
  struct Expected {
    const Graph &graph;
    Values exact, single;
  };

  void checkEntry(const Graph &g, const Values &before) {
    std::vector<int> wanted;
    for (const graph::Result &r : g.results) wanted.push_back(r.tensor);
    for (const graph::Next &n : g.next) wanted.push_back(n.value);
    const bool hasGradients = &g == entryWithLoss(reference);
    if (hasGradients)
      for (auto [parameter, gradient] : gradients) wanted.push_back(gradient);
    const Expected expected{g, evaluated(g, before, graph::Precision::Float64, wanted),
                            evaluated(g, before, graph::Precision::Float32, wanted)};
    largestResult = 0;
    for (const graph::Result &r : g.results) largestResult = std::max(largestResult, largest(expected.exact.at(r.tensor)));
    if (hasGradients) {
      compareGradients(expected, before);
      reset(before);
    }
    compareEntry(expected, before);
  }

  void compareGradients(const Expected &expected, const Values &before) {
    const Graph &compiled = *optimized.entry(gradientEntry);
    const Values errors = errorBounds(compiled, before);
    ofEach([&](CompiledModel &model) { return called(model, compiled); });
    for (auto [parameter, gradient] : gradients) {
      const std::string &name = expected.graph.tensors[static_cast<std::size_t>(parameter)].name;
      compare(fmt::format("{} {}", gradientEntry, name), storedValues(name), expected.exact.at(gradient), expected.single.at(gradient),
              boundIn(errors, nextValue(compiled, name)));
    }
  }

  void compareEntry(const Expected &expected, const Values &before) {
    const Graph &g = expected.graph, &compiled = *optimized.entry(g.name);
    const Values errors = errorBounds(compiled, before);
    const auto found = ofEach([&](CompiledModel &model) { return called(model, g); });
    for (std::size_t r = 0; r < g.results.size(); ++r) {
      const int t = g.results[r].tensor;
      std::vector<std::vector<double>> values;
      for (const auto &results : found) values.push_back(results[r]);
      compare(g.name + " " + g.results[r].name, values, expected.exact.at(t), expected.single.at(t),
              boundIn(errors, compiled.results[r].tensor));
    }
    for (const graph::Next &n : g.next) {
      const std::string &name = g.tensors[static_cast<std::size_t>(n.state)].name;
      const std::vector<double> &want = expected.exact.at(n.value), &single = expected.single.at(n.value);
      const std::vector<std::vector<float>> after = storedValues(name);
      compare(g.name + " " + name, after, want, single, boundIn(errors, nextValue(compiled, name)));
      const double change = worstDistance(before.at(n.state), want);
      // What rounding alone makes of the formulas: a value that is zero but for it says nothing (a bias before a batch norm).
      const double rounding = worstDistance(single, want);
      for (std::size_t b = 0; b < after.size(); ++b)
        if (const double worst = worstDistance(after[b], want);
            worst > updateTolerance * change + ulp(largest(want)) + roundingFactor * rounding)
          fail(b, fmt::format("{} {}: off by {:.3g}, but it changes by {:.3g} only", g.name, name, worst, change));
    }
  }

  static const std::vector<double> *boundIn(const Values &errors, int tensor) {
    auto e = errors.find(tensor);
    return e == errors.end() ? nullptr : &e->second;
  }

  /// The tensor whose value a parameter or state takes; -1: none.
  static int nextValue(const Graph &g, const std::string &name) {
    for (const graph::Next &n : g.next)
      if (g.tensors[static_cast<std::size_t>(n.state)].name == name) return n.value;
    return -1;
  }

  void fail(std::size_t backEnd, const std::string &message) {
    failures.push_back(fmt::format("{}: {}", backEnds[backEnd].name, message));
  }

  /// `found` by each back end.
  template <class T>
  void compare(const std::string &what, const std::vector<std::vector<T>> &found, const std::vector<double> &want,
               const std::vector<double> &single, const std::vector<double> *bound) {
    const double size = largest(want), unit = ulp(size), usual = worstDistance(single, want) / unit;
    lines.push_back({what, {}, usual, size / unit, unit});
    compared += want.size();
    for (std::size_t b = 0; b < found.size(); ++b) {
      const double worst = worstDistance(found[b], want) / unit;
      lines.back().compiled.push_back(worst);
      if (worst > evaluatorShare * (usual + freeUlps))
        fail(b, fmt::format("{}: the largest difference is {:.3g} ulp, expected at most {:.3g}", what, worst,
                            evaluatorShare * (usual + freeUlps)));
      if (bound) compareWithBound(b, what, found[b], want, *bound);
      if (worstDistance(found[b], found[0]) != 0) failBits(b, what, found[b], found[0]);
    }
  }

  /// Of what differs from the first back end's.
  template <class T> void failBits(std::size_t backEnd, const std::string &what, const std::vector<T> &found, const std::vector<T> &first) {
    std::size_t i = 0;
    while (distance(found[i], first[i]) == 0) ++i;
    isWrong = true;
    fail(backEnd, fmt::format("{}: element {} is {:.9g}, but {:.9g} by {}, expected the same bits", what, i, found[i], first[i],
                              backEnds[0].name));
  }

  template <class T>
  void compareWithBound(std::size_t backEnd, const std::string &what, const std::vector<T> &found, const std::vector<double> &want,
                        const std::vector<double> &bound) {
    // Of the source's formulas against the optimized ones: where those are 0, these may be all rounding.
    const double rounding = sourceRounding * std::max(largest(want), largestResult);
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (!std::isfinite(bound.at(i)) || !std::isfinite(want[i])) continue;
      bounded += backEnd == 0;
      const double allowed = bound[i] + rounding;
      if (distance(found[i], want[i]) <= allowed) continue;
      isWrong = true;
      return fail(backEnd, fmt::format("{}: element {} is {:.9g}, expected {:.9g} within {:.3g}", what, i, found[i], want[i], allowed));
    }
  }

  const Options options;
  graph::Module reference, optimized;
  loop::Program program; // for this machine
  std::optional<CppModel> cpp;
  std::string note;
  std::vector<BackEnd> backEnds;
  std::optional<RandomBatch> batch;
  Gradients gradients; // in the reference's entry with the loss
  std::size_t count = 0;
  struct Line { // of the table
    std::string name;
    std::vector<double> compiled; // by each back end, in ulp
    double evaluator, size;       // in ulp, which is
    double unit;
  };
  std::vector<Line> lines;
  std::size_t compared = 0, bounded = 0;
  double largestResult = 0; // of the entry being compared
  std::vector<std::string> failures;
  bool isWrong = false; // outside a bound: no other batch makes that right
};

} // namespace

const Graph *entryWithLoss(const graph::Module &module) {
  if (const Graph *step = module.trainingEntry()) return step;
  auto found = std::find_if(module.entries.begin(), module.entries.end(), hasLoss);
  return found == module.entries.end() ? nullptr : &*found;
}

std::function<bool()> compiledCheck(const graph::Module &source, const Options &o) {
  return [check = std::make_shared<CompiledCheck>(source, o)] { return check->run(); };
}

} // namespace netc::driver
