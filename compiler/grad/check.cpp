#include "compiler/grad/check.h"

#include "compiler/grad/dependence.h"
#include "compiler/grad/sample_values.h"
#include "compiler/graph/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace netc::grad {

using graph::Graph;
using graph::Result;
using graph::Tensor;
using graph::TensorKind;
using graph::Values;

namespace {

constexpr std::int64_t checkedBatch = 2;
constexpr int tensorShare = 1000; // errors are relative to at least the largest gradient over this

/// The largest step that both sides take without deciding anything differently is used: a large one keeps the
/// rounding of the loss small, and the formula of fourth order keeps its own error smaller still.
constexpr double steps[] = {1e-3, 3e-4, 1e-4, 3e-5, 1e-5};

void setBatch(Graph &g, std::int64_t n) {
  g.batch = n;
  auto set = [&](graph::Extent &e) {
    if (e.batch) e.size = n;
  };
  for (Tensor &t : g.tensors)
    for (graph::Extent &e : t.shape)
      set(e);
  for (graph::Formula &f : g.formulas)
    for (graph::Clause &c : f.clauses)
      for (graph::Index &i : c.domain)
        set(i.extent);
}

/// The loss alone, with a placeholder for every parameter; the optimizer and other results are gone.
Graph lossGraph(const Graph &given) {
  Graph g = given;
  setBatch(g, checkedBatch);
  const std::vector<char> late = dependsOnGradient(g);
  std::erase_if(g.formulas, [&](const graph::Formula &f) { return late[f.target]; });
  std::erase_if(g.results, [](const Result &r) { return r.kind != Result::Kind::Loss; });
  g.next.clear();
  std::vector<char> asked(g.tensors.size(), 0);
  for (const Tensor &t : g.tensors)
    if (t.kind == TensorKind::Gradient) asked[t.of] = 1;
  for (std::size_t t = 0; t < asked.size(); ++t) {
    if (g.tensors[t].kind != TensorKind::Param || asked[t]) continue;
    Tensor placeholder;
    placeholder.name = g.tensors[t].name + ".grad";
    placeholder.shape = g.tensors[t].shape;
    placeholder.kind = TensorKind::Gradient;
    placeholder.of = static_cast<int>(t);
    g.addTensor(std::move(placeholder));
  }
  return g;
}

std::vector<int> lossTensors(const Graph &g) {
  std::vector<int> losses;
  for (const Result &r : g.results)
    losses.push_back(r.tensor);
  return losses;
}

/// By tensor: it depends on one of the `changed` ones (by any way, differentiable or not).
std::vector<char> dependents(const Graph &g, const std::vector<int> &changed) {
  std::vector<char> depends(g.tensors.size(), 0);
  for (int t : changed)
    depends[t] = 1;
  for (const graph::Formula &f : g.formulas)
    for (int t : readTensors(f))
      depends[f.target] |= depends[t];
  return depends;
}

/// A graph that computes the loss from the values of all that does not depend on `changed`.
Graph restOfLoss(const Graph &g, const std::vector<int> &changed) {
  const std::vector<char> depends = dependents(g, changed);
  Graph rest = g;
  std::erase_if(rest.formulas, [&](const graph::Formula &f) { return !depends[f.target]; });
  for (std::size_t t = 0; t < depends.size(); ++t)
    if (rest.tensors[t].kind == TensorKind::Local && !depends[t]) rest.tensors[t].kind = TensorKind::Input;
  return rest;
}

/// "[1, 0, 2]" for a logical element number.
std::string elementText(const Tensor &t, std::int64_t element) {
  std::string text;
  for (std::size_t d = t.shape.size(); d-- > 0;) {
    text = std::to_string(element % t.shape[d].size) + (text.empty() ? "" : ", ") + text;
    element /= t.shape[d].size;
  }
  return "[" + text + "]";
}

class GradientCheck {
 public:
  GradientCheck(const Graph &given, const CheckOptions &options, Diagnostics &diagnostics)
      : options(options), diag(diagnostics), loss(lossGraph(given)) {}

  CheckReport run() {
    Graph gradients = loss;
    if (!differentiate(gradients, diag, options.table)) return {};
    for (std::size_t t = 0; t < loss.tensors.size(); ++t) {
      const Tensor &x = loss.tensors[t];
      if (x.shared() && x.kind != TensorKind::Constant) values[t] = sampleValues(x, options.seed);
      if (x.kind == TensorKind::Gradient && loss.tensors[x.of].kind == TensorKind::Param)
        parameters.push_back({x.of, static_cast<int>(t)});
    }
    std::vector<int> wanted;
    for (const Parameter &p : parameters)
      wanted.push_back(p.gradient);
    for (const graph::Formula &f : loss.formulas)
      wanted.push_back(f.target);
    graph::evaluate(gradients, values, how, wanted);
    CheckReport report;
    for (const Parameter &p : parameters)
      report.samples.push_back(checkParameter(p));
    report.samples.push_back(checkDirections());
    return report;
  }

 private:
  struct Parameter {
    int tensor, gradient;
  };
  /// One change of parameters: each given tensor moves along its direction.
  using Direction = std::vector<std::pair<int, std::vector<double>>>;

  double lossAt(const Graph &rest, const Direction &along, double step, std::uint64_t &decisions) {
    Values moved = values;
    for (auto &[t, direction] : along)
      for (std::size_t i = 0; i < direction.size(); ++i)
        moved[t][i] += step * direction[i];
    graph::Decisions made;
    graph::evaluate(rest, moved, how, lossTensors(rest), &made);
    decisions = made.hash;
    double total = 0;
    for (int t : lossTensors(rest))
      for (double v : moved[t])
        total += v;
    return total;
  }

  /// The derivative along a direction; none when every step changes a decision.
  std::optional<double> difference(const Graph &rest, const Direction &along) {
    for (double step : steps) {
      double at[4];
      std::uint64_t decisions[4];
      const double offsets[4] = {-2, -1, 1, 2};
      bool smooth = true;
      for (int i = 0; i < 4 && smooth; ++i) {
        at[i] = lossAt(rest, along, offsets[i] * step, decisions[i]);
        smooth = decisions[i] == decisions[0];
      }
      if (smooth) return (8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * step);
    }
    return std::nullopt;
  }

  void compare(SampleReport &report, double gradient, double numeric, double scale,
               const std::string &where) {
    ++report.compared;
    const double size = std::max({std::fabs(gradient), std::fabs(numeric), scale / tensorShare});
    double error = size == 0 ? 0 : std::fabs(gradient - numeric) / size;
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    if (report.compared > 1 && error <= report.worst) return;
    report.worst = error;
    report.where = where;
    report.gradient = gradient;
    report.difference = numeric;
  }

  void judge(SampleReport &report) const {
    if (!(report.worst <= options.tolerance))
      report.failures.push_back(fmt::format(
          "{}{}: the gradient is {:.10g}, the difference {:.10g}, error {:.2e}, "
          "expected at most {:.0e}",
          report.name, report.where, report.gradient, report.difference, report.worst, options.tolerance));
    if (report.redrawn > report.compared)
      report.failures.push_back(
          fmt::format("{}: {} of {} samples crossed a kink and were drawn again, expected at most half",
                      report.name, report.redrawn, report.redrawn + report.compared));
  }

  SampleReport checkParameter(const Parameter &p) {
    SampleReport report;
    const Tensor &x = loss.tensors[p.tensor];
    report.name = x.name;
    const std::vector<double> &gradient = values.at(p.gradient);
    double largest = 0;
    for (double g : gradient)
      largest = std::max(largest, std::fabs(g));
    const Graph rest = restOfLoss(loss, {p.tensor});
    if (largest == 0 && lossDependsOn(p.tensor))
      report.failures.push_back(
          fmt::format("{}: the gradient is zero everywhere, but the loss depends on it", x.name));
    std::vector<std::int64_t> order = shuffled(elementCount(x), x.name);
    for (std::int64_t element : order) {
      if (report.compared == options.entries || report.redrawn > options.entries) break;
      std::vector<double> unit(order.size(), 0);
      unit[element] = std::max(1.0, std::fabs(values.at(p.tensor)[element]));
      const auto numeric = difference(rest, {{p.tensor, unit}});
      if (!numeric)
        ++report.redrawn;
      else
        compare(report, gradient[element], *numeric / unit[element], largest, elementText(x, element));
    }
    judge(report);
    return report;
  }

  SampleReport checkDirections() {
    SampleReport report;
    report.name = "directions";
    std::vector<int> tensors;
    double largest = 0;
    for (const Parameter &p : parameters) {
      tensors.push_back(p.tensor);
      for (double g : values.at(p.gradient))
        largest = std::max(largest, std::fabs(g));
    }
    if (tensors.empty()) return report;
    const Graph rest = restOfLoss(loss, tensors);
    Randomness random(options.seed, "directions");
    while (report.compared < options.directions && report.redrawn <= options.directions) {
      const Direction along = unitDirection(random);
      double expected = 0;
      for (std::size_t k = 0; k < along.size(); ++k)
        for (std::size_t i = 0; i < along[k].second.size(); ++i)
          expected += along[k].second[i] * values.at(parameters[k].gradient)[i];
      if (const auto numeric = difference(rest, along))
        compare(report, expected, *numeric, largest, fmt::format("[{}]", report.compared + report.redrawn));
      else
        ++report.redrawn;
    }
    judge(report);
    return report;
  }

  Direction unitDirection(Randomness &random) const {
    Direction along;
    double square = 0;
    for (const Parameter &p : parameters) {
      std::vector<double> part(elementCount(loss.tensors[p.tensor]));
      for (double &v : part)
        v = random.normal(), square += v * v;
      along.push_back({p.tensor, std::move(part)});
    }
    for (auto &[t, part] : along)
      for (double &v : part)
        v /= std::sqrt(square);
    return along;
  }

  bool lossDependsOn(int tensor) const {
    const std::vector<char> depends = dependents(loss, {tensor});
    for (int t : lossTensors(loss))
      if (depends[t]) return true;
    return false;
  }

  std::vector<std::int64_t> shuffled(std::int64_t count, const std::string &name) const {
    std::vector<std::int64_t> order(count);
    for (std::int64_t i = 0; i < count; ++i)
      order[i] = i;
    Randomness random(options.seed, "entries of " + name);
    for (std::int64_t i = count - 1; i > 0; --i)
      std::swap(order[i], order[random.below(i + 1)]);
    return order;
  }

  const CheckOptions &options;
  Diagnostics &diag;
  const Graph loss; // batch 2, not differentiated
  const graph::Evaluation how{graph::Precision::Float64, checkedBatch, {}};
  Values values; // of the loss graph and of the gradients, at the point where they are checked
  std::vector<Parameter> parameters;
};

} // namespace

bool CheckReport::passed() const {
  return std::all_of(samples.begin(), samples.end(),
                     [](const SampleReport &s) { return s.failures.empty(); });
}

int CheckReport::compared() const {
  int total = 0;
  for (const SampleReport &s : samples)
    total += s.compared;
  return total;
}

std::string CheckReport::str() const {
  std::size_t width = 0;
  for (const SampleReport &s : samples)
    width = std::max(width, s.name.size());
  std::string text;
  for (const SampleReport &s : samples) {
    text += fmt::format("{:<{}}  compared {:3}, worst error {:.2e}", s.name, width, s.compared, s.worst);
    if (s.redrawn) text += fmt::format(", {} drawn again", s.redrawn);
    text += "\n";
  }
  for (const SampleReport &s : samples)
    for (const std::string &failure : s.failures)
      text += "error: " + failure + "\n";
  return text;
}

CheckReport checkGradients(const Graph &graph, const CheckOptions &options, Diagnostics &diagnostics) {
  return GradientCheck(graph, options, diagnostics).run();
}

} // namespace netc::grad
