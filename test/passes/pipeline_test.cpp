// Both pipelines keep values: netc_pipeline_test FILE.graph differentiates each entry as it is, and again
// between the forward and the complete pipeline, and compares every result and store update in float64 on
// random inputs.
#include "compiler/grad/differentiate.h"
#include "compiler/grad/sample_values.h"
#include "compiler/graph/evaluator.h"
#include "compiler/graph/text.h"
#include "compiler/passes/passes.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <cmath>

using namespace netc;

namespace {

constexpr std::int64_t count = 3; // of a larger planned batch

graph::Values evaluated(const graph::Graph &g) {
  graph::Values values;
  for (std::size_t t = 0; t < g.tensors.size(); ++t) {
    if (!g.tensors[t].shared() || g.tensors[t].kind == graph::TensorKind::Constant) continue;
    graph::Tensor small = g.tensors[t];
    for (graph::Extent &e : small.shape)
      if (e.batch) e.size = count;
    values[static_cast<int>(t)] = grad::sampleValues(small, 7);
  }
  graph::evaluate(g, values, {graph::Precision::Float64, count, {}});
  return values;
}

/// The largest difference relative to the largest value; infinite when something is not a number or missing.
double difference(const std::vector<double> &a, const std::vector<double> &b) {
  double worst = 0, size = 1e-6;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return INFINITY;
    worst = std::max(worst, std::fabs(a[i] - b[i]));
    size = std::max(size, std::fabs(a[i]));
  }
  return a.size() == b.size() ? worst / size : INFINITY;
}

int compare(const graph::Graph &plain, const graph::Graph &optimized) {
  const graph::Values before = evaluated(plain), after = evaluated(optimized);
  int failures = 0, compared = 0;
  auto check = [&](int a, int b, const std::string &name) {
    ++compared;
    const double d = difference(before.at(a), after.at(b));
    if (d <= 1e-11) return;
    fmt::print("{}: {} differs by {}\n", plain.name, name, d);
    ++failures;
  };
  for (std::size_t i = 0; i < plain.results.size(); ++i)
    check(plain.results[i].tensor, optimized.results[i].tensor, plain.results[i].name);
  for (std::size_t i = 0; i < plain.next.size(); ++i)
    check(plain.next[i].value, optimized.next[i].value, plain.tensors[plain.next[i].state].name);
  fmt::print("{}: {} formulas, {} after the passes; {} values compared, {} failures\n", plain.name,
             plain.formulas.size(), optimized.formulas.size(), compared, failures);
  return failures + (compared == 0);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  Diagnostics diagnostics;
  const graph::Module m = graph::parse(readFile(argv[1]), argv[1], diagnostics);
  int failures = 0;
  for (const graph::Graph &entry : m.entries) {
    graph::Graph plain = entry, optimized = entry;
    grad::differentiate(plain, diagnostics);
    passes::run(passes::forwardPipeline(), optimized);
    grad::differentiate(optimized, diagnostics);
    passes::run(passes::completePipeline(), optimized);
    if (diagnostics.hasErrors()) break;
    failures += compare(plain, optimized);
  }
  fmt::print("{}", diagnostics.str());
  return failures == 0 && !diagnostics.hasErrors() ? 0 : 1;
}
