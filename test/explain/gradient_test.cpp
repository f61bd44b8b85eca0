// What `netc explain` prints as text is a model of the language: compiled again, its gradients are those of the gradient
// graph, in float64 on the same random values.
//   netc_explain_test FILE.net...
#include "compiler/explain/explain.h"
#include "compiler/grad/differentiate.h"
#include "compiler/graph/evaluator.h"
#include "compiler/support/entry_name.h"
#include "compiler/support/text_file.h"
#include "dsl/dsl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace netc;

namespace {

constexpr int samples = 3;
constexpr double tolerance = 1e-12;
constexpr double rounding = 1e-9; // of the largest gradient

std::string mangled(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

graph::Module compiled(const std::string &text, const std::string &file) {
  Diagnostics diagnostics;
  auto module = dsl::compile(text, file, {samples, {}}, diagnostics);
  if (!module) throw UserError(diagnostics.str() + text);
  return std::move(*module);
}

std::vector<double> randomValues(const graph::Tensor &t, std::mt19937_64 &random) {
  std::size_t size = 1;
  for (const graph::Extent &e : t.shape) size *= static_cast<std::size_t>(e.size);
  std::vector<double> values(size);
  std::normal_distribution<double> normal(0, 0.5);
  for (double &v : values)
    v = t.dtype == DType::F32 ? normal(random) : static_cast<double>(random() % (t.classes > 0 ? static_cast<unsigned>(t.classes) : 3u));
  return values;
}

bool asksForGradients(const graph::Graph &g) {
  return std::any_of(g.tensors.begin(), g.tensors.end(),
                     [](const graph::Tensor &t) { return t.kind == graph::TensorKind::Gradient; });
}

double largest(const std::vector<double> &v) {
  double most = 0;
  for (double x : v) most = std::max(most, std::fabs(x));
  return most;
}

/// The largest difference relative to the largest value, or to `least`; infinite if the values are all 0.
double difference(const std::vector<double> &a, const std::vector<double> &b, double least) {
  double worst = 0;
  const double most = largest(b);
  for (std::size_t i = 0; i < b.size(); ++i) worst = std::max(worst, std::fabs(a.at(i) - b[i]));
  return most > 0 && a.size() == b.size() ? worst / std::max(most, least) : HUGE_VAL;
}

/// The tensor of an output: another one where the value is that of another name.
int outputTensor(const graph::Graph &g, const std::string &name) {
  for (const graph::Result &r : g.results)
    if (r.name == name) return r.tensor;
  return -1;
}

bool hasParameters(const graph::Graph &g) {
  return std::any_of(g.tensors.begin(), g.tensors.end(),
                     [](const graph::Tensor &t) { return t.kind == graph::TensorKind::Param; });
}

/// Of the first plan; null where no plan makes its update in each step.
const graph::Graph *trainStep(const graph::Module &m) {
  const auto found = std::find_if(m.entries.begin(), m.entries.end(), [](const graph::Graph &g) { return roleOf(g.name) == "trainStep"; });
  return found == m.entries.end() ? nullptr : &*found;
}

int test(const std::string &file) {
  graph::Module source = compiled(readFile(file), file);
  const graph::Graph *entry = trainStep(source) ? trainStep(source) : source.entry("evaluate");
  constexpr double mostWork = 1e9; // operations of the forward pass
  if (!entry || !hasParameters(*entry) || graph::evaluationWork(*entry) > mostWork) {
    fmt::print("{}: {}\n", file, !entry ? "no loss" : hasParameters(*entry) ? "too large" : "no parameters");
    return 0;
  }
  graph::Graph step = *entry;
  if (!asksForGradients(step)) grad::askForGradients(step);
  Diagnostics diagnostics;
  const std::string text = explain::explain(source.name, step, source.entry("predict"), explain::Format::Text, diagnostics);
  const graph::Module again = compiled(text, "explained.net");
  const graph::Graph &explained = again.entries[0];
  std::map<std::string, std::string> gradients; // in the explained model -> in the graph
  for (const graph::Tensor &t : step.tensors)
    if (t.kind == graph::TensorKind::Gradient) gradients["d_" + mangled(step.tensors[static_cast<std::size_t>(t.of)].name)] = t.name;
  grad::differentiate(step, diagnostics);
  std::mt19937_64 random(1);
  graph::Values a, b;
  for (int t = 0; t < step.sharedCount(); ++t) {
    const graph::Tensor &x = step.tensors[static_cast<std::size_t>(t)];
    if (x.kind == graph::TensorKind::Constant) continue;
    b[t] = randomValues(x, random);
    if (const int other = explained.find(mangled(x.name)); other >= 0) a[other] = b[t];
  }
  graph::Evaluation how;
  how.count = samples;
  graph::evaluate(explained, a, how);
  graph::evaluate(step, b, how);
  int bad = 0;
  double worst = 0, most = 0;
  for (const auto &[ours, theirs] : gradients) most = std::max(most, largest(b.at(step.find(theirs))));
  for (const auto &[ours, theirs] : gradients) {
    const int t = outputTensor(explained, ours);
    const std::vector<double> &values = b.at(step.find(theirs));
    // a gradient that is nothing but rounding beside the others, as that of a bias before a batch norm, is as good as 0
    const bool isRounding = largest(values) < rounding * most;
    const double error = t < 0 ? HUGE_VAL : difference(a.at(t), values, isRounding ? most : 0);
    worst = std::max(worst, error);
    if (error < tolerance) continue;
    ++bad;
    fmt::print("{}: {} differs by {:.2g} of its size\n", file, ours, error);
  }
  fmt::print("{}: {} gradients, the largest difference is {:.1e}\n", file.substr(file.rfind('/') + 1), gradients.size(), worst);
  return bad + (gradients.empty() ? 1 : 0);
}

} // namespace

int main(int argc, char **argv) {
  int bad = 0;
  for (int i = 1; i < argc; ++i) {
    try {
      bad += test(argv[i]);
    } catch (const UserError &error) {
      fmt::print("{}: {}\n", argv[i], error.what());
      ++bad;
    }
  }
  fmt::print("{} files, {} bad gradients\n", argc - 1, bad);
  return bad == 0 && argc > 1 ? 0 : 1;
}
