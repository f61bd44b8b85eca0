#include "compiler/grad/check.h"

#include "compiler/grad/dependence.h"
#include "compiler/grad/differences.h"
#include "compiler/grad/sample_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

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
    findInfluence();
    makeGroups();
    CheckReport report;
    SampleReport directions = checkDirections();
    compareEntries();
    for (Parameter &p : parameters) {
      judge(p.report);
      report.samples.push_back(std::move(p.report));
    }
    report.samples.push_back(std::move(directions));
    return report;
  }

 private:
  struct Parameter {
    int tensor, gradient;
    double largest; // gradient
    RandomOrder order;
    SampleReport report;

    double least() const { return largest / tensorShare; } // smaller gradients count as that large
    bool wants(int entries) const {
      return !report.without && report.compared < entries && report.redrawn <= entries && !order.empty();
    }
  };
  /// Neighbours, of which one entry each is moved at the same time.
  struct Group {
    std::vector<int> members; // of `parameters`
    LossFunction::Part part;
    std::vector<Group> halves = {}; // once they are needed
  };
  /// One entry of a parameter, and how far it is moved.
  struct Sample {
    int parameter;
    std::int64_t element;
    double gradient, by;
  };
  using Direction = LossFunction::Direction;

  void evaluateAll(const Graph &gradients) {
    std::vector<int> wanted;
    for (std::size_t t = 0; t < loss.tensors.size(); ++t) {
      const Tensor &x = loss.tensors[t];
      const int number = static_cast<int>(t);
      if (x.shared() && x.kind != TensorKind::Constant) values[number] = sampleValues(x, options.seed);
      if (x.kind == TensorKind::Gradient && loss.tensors[x.of].kind == TensorKind::Param) wanted.push_back(number);
    }
    const std::vector<int> wantedGradients = wanted;
    for (const graph::Formula &f : loss.formulas)
      wanted.push_back(f.target);
    graph::evaluate(gradients, values, {graph::Precision::Float64, checkedBatch, {}}, wanted);
    for (int gradient : wantedGradients) {
      const int tensor = loss.tensors[gradient].of;
      const Tensor &x = loss.tensors[tensor];
      parameters.push_back({tensor, gradient, largestSize(values.at(gradient)),
                            RandomOrder(elementCount(x), options.seed, "entries of " + x.name), {}});
      parameters.back().report.name = x.name;
    }
  }

  /// Of the parameters whose gradient is nothing but rounding: which of them the loss does not depend on.
  void findInfluence() {
    std::vector<int> suspects;
    for (std::size_t k = 0; k < parameters.size(); ++k)
      if (parameters[k].largest <= negligible * lossSize()) suspects.push_back(static_cast<int>(k));
    findInfluence(suspects);
  }

  void findInfluence(std::span<const int> suspects) {
    if (suspects.empty()) return;
    if (haveNoInfluence(suspects)) {
      for (int k : suspects)
        parameters[k].report.without = true;
    } else if (suspects.size() > 1) {
      findInfluence(suspects.first(suspects.size() / 2));
      findInfluence(suspects.subspan(suspects.size() / 2));
    } else if (Parameter &p = parameters[suspects[0]]; p.largest == 0) {
      p.report.failures.push_back(
          fmt::format("{}: the gradient is zero everywhere, but the loss depends on it", p.report.name));
    }
  }

  /// The losses are the same at random values far away from the ones at hand.
  bool haveNoInfluence(std::span<const int> some) {
    const LossFunction::Part part = partOf(some);
    for (int k = 0; k < moves; ++k) {
      Direction far;
      for (int s : some) {
        const Parameter &p = parameters[s];
        Randomness random(options.seed, fmt::format("move {} of {}", k, p.report.name));
        std::vector<double> by = values.at(p.tensor);
        for (double &v : by)
          v = random.normal() * std::max(1.0, std::fabs(v));
        far.push_back({p.tensor, {}, std::move(by)});
      }
      if (!lossOf.same(part, far)) return false;
    }
    return true;
  }

  LossFunction::Part partOf(std::span<const int> some) const {
    std::vector<int> tensors;
    for (int k : some)
      tensors.push_back(parameters[k].tensor);
    return lossOf.part(tensors, /*held=*/true);
  }

  Group groupOf(std::span<const int> members) const { return {{members.begin(), members.end()}, partOf(members)}; }

  /// Groups of one, or as small as the work allows; fewer entries when not even one group of all is small enough.
  void makeGroups() {
    std::vector<int> checked;
    for (std::size_t k = 0; k < parameters.size(); ++k)
      if (!parameters[k].report.without) checked.push_back(static_cast<int>(k));
    double work = 0; // of one entry of each parameter
    for (std::size_t size = 1;; size *= 2) {
      work = 0;
      groups.clear();
      for (std::size_t k = 0; k < checked.size(); k += size) {
        groups.push_back(groupOf(std::span(checked).subspan(k, std::min(size, checked.size() - k))));
        work += 4 * groups.back().part.work;
      }
      if (work * options.entries <= options.work || size >= checked.size()) break;
    }
    entries = static_cast<int>(std::clamp(options.work / (work + 1), 1.0, static_cast<double>(options.entries)));
  }

  void compareEntries() {
    Randomness signs(options.seed, "signs");
    auto wants = [&](const Parameter &p) { return p.wants(entries); };
    while (std::any_of(parameters.begin(), parameters.end(), wants))
      for (Group &group : groups) {
        std::vector<Sample> samples;
        for (int k : group.members)
          if (Parameter &p = parameters[k]; p.wants(entries)) {
            const std::int64_t element = p.order.next();
            const double unit = std::max(1.0, std::fabs(values.at(p.tensor)[element]));
            samples.push_back({k, element, values.at(p.gradient)[element], signs.uniform() < 0.5 ? -unit : unit});
          }
        compareTogether(group, samples);
      }
  }

  /// Moves all entries at the same time. Where that is not smooth, or their gradients do not add up to the difference, it
  /// moves each half of them: down to single ones, about which it then has the last word.
  void compareTogether(Group &group, std::span<const Sample> samples) {
    if (samples.empty()) return;
    Direction along;
    double expected = 0, least = std::numeric_limits<double>::infinity();
    for (const Sample &s : samples) {
      const Parameter &p = parameters[s.parameter];
      along.push_back({p.tensor, {s.element}, {s.by}});
      expected += s.gradient * s.by;
      least = std::min(least, std::max(p.least(), std::fabs(s.gradient)) * std::fabs(s.by));
    }
    const auto numeric = lossOf.difference(group.part, along, options.tolerance, least);
    const bool agree = numeric && std::fabs(numeric->derivative - expected) <= std::max(options.tolerance * least, numeric->noise);
    if (!agree && samples.size() > 1) {
      compareHalves(group, samples);
      return;
    }
    for (const Sample &s : samples) {
      Parameter &p = parameters[s.parameter];
      if (numeric)
        compare(p.report, s.gradient, s.gradient + (numeric->derivative - expected) / s.by,
                std::max(p.least(), numeric->noise / std::fabs(s.by) / options.tolerance),
                elementText(loss.tensors[p.tensor], s.element));
      else
        ++p.report.redrawn;
    }
  }

  void compareHalves(Group &group, std::span<const Sample> samples) {
    if (group.halves.empty()) {
      const std::span<const int> all = group.members;
      group.halves = {groupOf(all.first(all.size() / 2)), groupOf(all.subspan(all.size() / 2))};
    }
    const auto middle = std::find_if(samples.begin(), samples.end(), [&](const Sample &s) {
      return s.parameter >= group.halves[1].members.front();
    });
    const auto first = static_cast<std::size_t>(middle - samples.begin());
    compareTogether(group.halves[0], samples.first(first));
    compareTogether(group.halves[1], samples.subspan(first));
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

  SampleReport checkDirections() {
    SampleReport report;
    report.name = "directions";
    std::vector<int> tensors;
    double largest = 0;
    for (const Parameter &p : parameters) {
      tensors.push_back(p.tensor);
      largest = std::max(largest, p.largest);
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
        for (std::size_t i = 0; i < along[k].by.size(); ++i)
          expected += along[k].by[i] * values.at(parameters[k].gradient)[i];
      const double size = std::max(std::fabs(expected), least);
      if (const auto numeric = lossOf.difference(part, along, options.tolerance, size)) {
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
    for (const LossFunction::Move &m : along)
      tensors.push_back(m.tensor);
    LossFunction::Part part = lossOf.part(tensors, /*held=*/false);
    const auto free = lossOf.difference(part, along, options.tolerance, std::max(std::fabs(held.derivative), least));
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
      std::vector<double> by(elementCount(loss.tensors[p.tensor]));
      for (double &v : by)
        v = 2 * random.uniform() - 1, square += v * v;
      along.push_back({p.tensor, {}, std::move(by)});
    }
    for (LossFunction::Move &m : along)
      for (double &v : m.by)
        v /= std::sqrt(square);
    return along;
  }

  double lossSize() const {
    double size = 0;
    for (const Result &r : loss.results)
      size += std::fabs(values.at(r.tensor).at(0));
    return size;
  }

  const CheckOptions &options;
  Diagnostics &diag;
  const Graph loss; // three samples, not differentiated
  Values values;    // of the loss graph and of the gradients, at the point where they are checked
  LossFunction lossOf;
  std::vector<Parameter> parameters;
  std::vector<Group> groups;
  int entries = 0; // to be compared of each parameter
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
