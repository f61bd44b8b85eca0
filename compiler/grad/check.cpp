#include "compiler/grad/check.h"

#include "compiler/grad/dependence.h"
#include "compiler/grad/differences.h"
#include "compiler/grad/sample_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace netc::grad {

using graph::Graph;
using graph::Result;
using graph::Tensor;
using graph::TensorKind;
using graph::Values;

namespace {

constexpr std::int64_t checkedBatch = 3; // 2 samples would be +1 and -1 after every batch norm
constexpr int tensorShare = 1000;        // errors are relative to at least the largest gradient over this
constexpr int moves = 3;             // random values at which a parameter without influence is tried
constexpr double negligible = 1e-11; // of the loss: a gradient that small may be rounding

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
  askForGradients(g);
  return g;
}

double largestSize(const std::vector<double> &values) {
  double largest = 0;
  for (double v : values)
    largest = std::max(largest, std::fabs(v));
  return largest;
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
      : options(options), diag(diagnostics), loss(lossGraph(given)), lossOf(loss, values, checkedBatch) {}

  CheckReport run() {
    Graph gradients = loss;
    if (!differentiate(gradients, diag, options.table)) return {};
    evaluateAll(gradients);
    CheckReport report;
    SampleReport directions = checkDirections();
    shareBudget();
    for (Parameter &p : parameters)
      report.samples.push_back(checkParameter(p));
    report.samples.push_back(std::move(directions));
    return report;
  }

 private:
  struct Parameter {
    int tensor, gradient;
    LossFunction::Part part;
    int entries = 0; // to be compared
  };
  using Direction = LossFunction::Direction;

  void evaluateAll(const Graph &gradients) {
    for (std::size_t t = 0; t < loss.tensors.size(); ++t) {
      const Tensor &x = loss.tensors[t];
      const int number = static_cast<int>(t);
      if (x.shared() && x.kind != TensorKind::Constant) values[number] = sampleValues(x, options.seed);
      if (x.kind == TensorKind::Gradient && loss.tensors[x.of].kind == TensorKind::Param)
        parameters.push_back({x.of, number, lossOf.part({x.of}, /*held=*/true)});
    }
    std::vector<int> wanted;
    for (const Parameter &p : parameters)
      wanted.push_back(p.gradient);
    for (const graph::Formula &f : loss.formulas)
      wanted.push_back(f.target);
    graph::evaluate(gradients, values, {graph::Precision::Float64, checkedBatch, {}}, wanted);
  }

  /// Entries are handed out one a parameter and round, as long as the work allows.
  void shareBudget() {
    double left = options.work;
    for (int round = 0; round < options.entries; ++round)
      for (std::int64_t k : shuffled(static_cast<std::int64_t>(parameters.size()), "parameters")) {
        Parameter &p = parameters[k];
        const double cost = 4 * p.part.work;
        if (round >= elementCount(loss.tensors[p.tensor]) || cost > left) continue;
        left -= cost;
        ++p.entries;
      }
  }

  /// `least`: gradients below it count as that large.
  void compare(SampleReport &report, double gradient, double numeric, double least, const std::string &where) {
    ++report.compared;
    const double size = std::max({std::fabs(gradient), std::fabs(numeric), least});
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

  SampleReport checkParameter(Parameter &p) {
    SampleReport report;
    const Tensor &x = loss.tensors[p.tensor];
    report.name = x.name;
    const std::vector<double> &gradient = values.at(p.gradient);
    const double largest = largestSize(gradient);
    if (largest <= negligible * lossSize()) {
      report.without = hasNoInfluence(p);
      if (report.without) return report;
      if (largest == 0)
        report.failures.push_back(
            fmt::format("{}: the gradient is zero everywhere, but the loss depends on it", x.name));
    }
    const double least = largest / tensorShare;
    std::vector<std::int64_t> order = shuffled(elementCount(x), x.name);
    for (std::int64_t element : order) {
      if (report.compared == p.entries || report.redrawn > p.entries) break;
      std::vector<double> unit(order.size(), 0);
      unit[element] = std::max(1.0, std::fabs(values.at(p.tensor)[element]));
      const auto numeric = lossOf.difference(p.part, {{p.tensor, unit}}, options.tolerance, least * unit[element]);
      if (!numeric)
        ++report.redrawn;
      else
        compare(report, gradient[element], numeric->derivative / unit[element],
                std::max(least, numeric->noise / unit[element] / options.tolerance),
                elementText(x, element));
    }
    judge(report);
    return report;
  }

  /// The losses are the same at random values far away from the ones at hand.
  bool hasNoInfluence(const Parameter &p) {
    const Tensor &x = loss.tensors[p.tensor];
    Randomness random(options.seed, "moves of " + x.name);
    for (int k = 0; k < moves; ++k) {
      std::vector<double> move = values.at(p.tensor);
      for (double &v : move)
        v = random.normal() * std::max(1.0, std::fabs(v));
      if (!lossOf.same(p.part, {{p.tensor, std::move(move)}})) return false;
    }
    return true;
  }

  SampleReport checkDirections() {
    SampleReport report;
    report.name = "directions";
    std::vector<int> tensors;
    double largest = 0;
    for (const Parameter &p : parameters) {
      tensors.push_back(p.tensor);
      largest = std::max(largest, largestSize(values.at(p.gradient)));
    }
    if (tensors.empty()) return report;
    const double least = largest / tensorShare;
    LossFunction::Part part = lossOf.part(tensors, /*held=*/true);
    const int wanted = std::clamp(static_cast<int>(options.work / (4 * part.work + 1)), 1, options.directions);
    Randomness random(options.seed, "directions");
    while (report.compared < wanted && report.redrawn <= wanted) {
      const Direction along = unitDirection(random);
      double expected = 0;
      for (std::size_t k = 0; k < along.size(); ++k)
        for (std::size_t i = 0; i < along[k].second.size(); ++i)
          expected += along[k].second[i] * values.at(parameters[k].gradient)[i];
      if (const auto numeric = lossOf.difference(part, along, options.tolerance, least)) {
        compare(report, expected, numeric->derivative, std::max(least, numeric->noise / options.tolerance),
                fmt::format("[{}]", report.compared + report.redrawn));
        if (report.compared == 1) noteStopped(report, along, *numeric, least);
      } else {
        ++report.redrawn;
      }
    }
    judge(report);
    return report;
  }

  /// Says so when the loss changes otherwise along a direction as soon as what stands under stop_gradient may
  /// change, too.
  void noteStopped(SampleReport &report, const Direction &along, const LossFunction::Difference &held,
                   double least) {
    if (std::none_of(loss.formulas.begin(), loss.formulas.end(),
                     [](const graph::Formula &f) { return f.origin == stopOrigin; }))
      return;
    std::vector<int> tensors;
    for (const auto &[t, direction] : along)
      tensors.push_back(t);
    LossFunction::Part part = lossOf.part(tensors, /*held=*/false);
    const auto free = lossOf.difference(part, along, options.tolerance, least);
    if (free && std::fabs(free->derivative - held.derivative) <=
                    options.tolerance * std::max({std::fabs(held.derivative), least}) + free->noise + held.noise)
      return;
    report.note = "stop_gradient changes the gradient: it is compared with the differences of the loss with "
                  "what stands under stop_gradient held fixed";
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

  double lossSize() const {
    double size = 0;
    for (const Result &r : loss.results)
      size += std::fabs(values.at(r.tensor).at(0));
    return size;
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
  const Graph loss; // three samples, not differentiated
  Values values;    // of the loss graph and of the gradients, at the point where they are checked
  const LossFunction lossOf;
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
    text += fmt::format("{:<{}}  ", s.name, width);
    text += s.without ? fmt::format("no influence: the loss is the same at {} random values", moves)
            : s.compared == 0 ? std::string("compared by directions only")
                              : fmt::format("compared {:3}, worst error {:.2e}", s.compared, s.worst);
    if (s.redrawn) text += fmt::format(", {} drawn again", s.redrawn);
    text += "\n";
  }
  for (const SampleReport &s : samples)
    if (!s.note.empty()) text += "note: " + s.note + "\n";
  for (const SampleReport &s : samples)
    for (const std::string &failure : s.failures)
      text += "error: " + failure + "\n";
  return text;
}

CheckReport checkGradients(const Graph &graph, const CheckOptions &options, Diagnostics &diagnostics) {
  return GradientCheck(graph, options, diagnostics).run();
}

} // namespace netc::grad
