#include "compiler/grad/check.h"

#include "compiler/grad/dependence.h"
#include "compiler/grad/differences.h"
#include "compiler/grad/sample_values.h"
#include "compiler/grad/vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <span>

namespace netc::grad {

using graph::Graph;
using graph::Result;
using graph::Tensor;
using graph::TensorKind;
using graph::Values;

namespace {

constexpr std::int64_t usualBatch = 2, largerBatch = 3;
constexpr double usualGradient = 1e-4; // of the loss
constexpr int fewestEntries = 2;       // of a parameter: those that lack by themselves are moved together with others
constexpr int tensorShare = 1000;        // errors are relative to at least the largest gradient over this
constexpr double moveWork = 16;      // of drawing how an element moves, in operations of a formula
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
Graph lossGraph(const Graph &given, std::int64_t batch) {
  Graph g = given;
  setBatch(g, batch);
  const std::vector<char> late = dependsOnGradient(g);
  std::erase_if(g.formulas, [&](const graph::Formula &f) { return late[f.target]; });
  std::erase_if(g.results, [](const Result &r) { return r.kind != Result::Kind::Loss; });
  g.next.clear();
  askForGradients(g);
  return g;
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
  GradientCheck(const Graph &given, std::int64_t batch, const CheckOptions &options)
      : options(options), loss(lossGraph(given, batch)), lossOf(loss, values, batch) {}

  bool evaluateGradients(Diagnostics &diagnostics) {
    Graph gradients = loss;
    if (!differentiate(gradients, diagnostics, options.table)) return false;
    evaluateAll(gradients);
    return true;
  }

  /// Whether there is one that is so small that it may be rounding, or what a batch norm leaves.
  bool hasTinyGradient() const {
    return std::any_of(parameters.begin(), parameters.end(),
                       [&](const Parameter &p) { return p.largest <= usualGradient * lossSize(); });
  }

  CheckReport compareGradients() {
    findInfluence();
    CheckReport report;
    report.batch = static_cast<int>(loss.batch);
    SampleReport directions = checkDirections();
    shareWork();
    compareDirections();
    compareEntries();
    compareEntriesTogether();
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
    int entries = 0; // to be compared

    double least() const { return largest / tensorShare; } // smaller gradients count as that large
    bool wantsEntry() const { return report.entries < entries && report.redrawn <= entries && !order.empty(); }
  };
  /// Neighbours that are moved at the same time.
  struct Group {
    std::vector<int> members; // of `parameters`
    LossFunction::Part part;
    std::vector<Group> halves = {}; // once they are needed
  };
  /// What the gradient makes of the move of one parameter.
  struct Sample {
    int parameter;
    double expected, least; // what the loss changes by, and what counts as that much at least
    double scale;           // of the numbers that are shown
    std::string where;
  };
  using Move = LossFunction::Move;

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
    graph::evaluate(gradients, values, {graph::Precision::Float64, loss.batch, {}}, wanted);
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
        parameters[k].report.without = moves;
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
      std::vector<Move> far;
      for (int s : some) {
        const Parameter &p = parameters[s];
        const std::vector<double> &at = values.at(p.tensor);
        far.push_back({p.tensor, {}, drawn(at.size(), {options.seed, fmt::format("move {} of {}", k, p.report.name)},
                                           [&](Randomness &r, std::size_t i) { return r.normal() * std::max(1.0, std::fabs(at[i])); })});
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

  /// All entries where the work allows that. Else as many of them as it allows, one a parameter and round, and directions.
  void shareWork() {
    std::vector<int> checked;
    for (std::size_t k = 0; k < parameters.size(); ++k)
      if (!parameters[k].report.without) checked.push_back(static_cast<int>(k));
    for (int k : checked)
      single.emplace(k, groupOf(std::span(&k, 1)));
    double left = options.work;
    bool all = true;
    for (int round = 0; round < options.entries; ++round) {
      RandomOrder order(static_cast<std::int64_t>(checked.size()), options.seed, fmt::format("round {}", round));
      while (!order.empty()) {
        const int k = checked[order.next()];
        const double work = 4 * single.at(k).part.work;
        if (round >= elementCount(loss.tensors[parameters[k].tensor])) continue;
        all &= work <= left;
        if (work > left) continue;
        left -= work;
        ++parameters[k].entries;
      }
    }
    if (!all) makeGroups(checked);
  }

  /// As small as the work allows; fewer directions when not even one group of all is small enough.
  void makeGroups(std::span<const int> checked) {
    double work = 0; // of one direction of each parameter
    for (std::size_t size = 1;; size *= 2) {
      work = 0;
      groups.clear();
      for (std::size_t k = 0; k < checked.size(); k += size) {
        groups.push_back(groupOf(checked.subspan(k, std::min(size, checked.size() - k))));
        work += 4 * groups.back().part.work;
        for (int member : groups.back().members)
          work += moveWork * static_cast<double>(elementCount(loss.tensors[parameters[member].tensor]));
      }
      if (work * options.directions <= options.work || size >= checked.size()) break;
    }
    directions = static_cast<int>(std::clamp(options.work / work, 1.0, static_cast<double>(options.directions)));
  }

  void compareEntries() {
    for (auto &[k, group] : single)
      while (parameters[k].wantsEntry()) {
        const auto [move, sample] = entryOf(k);
        compareTogether(group, std::span(&sample, 1), std::span(&move, 1));
      }
  }

  /// Of each parameter as many as it still lacks, each moved so far that the loss should change by the same.
  void compareEntriesTogether() {
    for (int round = 0; round < fewestEntries; ++round)
      compareInGroups([&](int k) -> std::optional<std::pair<Move, Sample>> {
        Parameter &p = parameters[k];
        if (p.report.entries >= fewestEntries || p.order.empty()) return std::nullopt;
        const std::int64_t element = p.order.next();
        return entryOf(k, element, 1 / std::max(std::fabs(values.at(p.gradient)[element]), p.least()));
      });
  }

  std::pair<Move, Sample> entryOf(int k) {
    Parameter &p = parameters[k];
    const std::int64_t element = p.order.next();
    return entryOf(k, element, std::max(1.0, std::fabs(values.at(p.tensor)[element])));
  }

  std::pair<Move, Sample> entryOf(int k, std::int64_t element, double unit) const {
    const Parameter &p = parameters[k];
    return {{p.tensor, {element}, {unit}},
            {k, values.at(p.gradient)[element] * unit, p.least() * unit, unit, elementText(loss.tensors[p.tensor], element)}};
  }

  void compareDirections() {
    for (int d = 0; d < directions; ++d)
      compareInGroups([&](int k) {
        return std::optional(std::pair(uphill(parameters[k], d), Sample{k, 1, 0, 1, fmt::format(" in direction {}", d)}));
      });
  }

  /// What `sampleOf` gives for each parameter, a group at the same time, as one direction of length 1.
  template <class SampleOf> void compareInGroups(SampleOf sampleOf) {
    for (Group &group : groups) {
      std::vector<Sample> samples;
      std::vector<Move> along;
      for (int k : group.members) {
        if (parameters[k].largest <= negligible * lossSize()) continue;
        if (auto sample = sampleOf(k)) {
          along.push_back(std::move(sample->first));
          samples.push_back(std::move(sample->second));
        }
      }
      const double length = makeUnit(along);
      for (Sample &s : samples) {
        s.expected /= length;
        s.least /= length;
        s.scale /= length;
      }
      compareTogether(group, samples, along);
    }
  }

  /// A random direction through one parameter in which the loss grows by 1: mostly along the gradient, each entry by a share
  /// of its own, so that the difference is large beside the rounding of the loss; and some of any other.
  Move uphill(const Parameter &p, int number) const {
    const std::vector<double> &gradient = values.at(p.gradient);
    const double usual = std::sqrt(dot(gradient, gradient) / static_cast<double>(gradient.size()));
    std::vector<double> by = drawn(gradient.size(), {options.seed, fmt::format("direction {} of {}", number, p.report.name)},
                                   [&](Randomness &random, std::size_t i) {
                                     const double share = 0.5 + random.uniform();
                                     return gradient[i] * share + usual * (random.uniform() - 0.5);
                                   });
    scale(by, 1 / dot(by, gradient));
    return {p.tensor, {}, std::move(by)};
  }

  /// Moves several parameters at the same time. Where that is not smooth, or their gradients do not add up to the difference,
  /// it moves each half of them: down to single ones, about which it then has the last word.
  void compareTogether(Group &group, std::span<const Sample> samples, std::span<const Move> along) {
    if (samples.empty()) return;
    double expected = 0, least = std::numeric_limits<double>::infinity();
    for (const Sample &s : samples) {
      expected += s.expected;
      least = std::min(least, std::max(s.least, std::fabs(s.expected)));
    }
    const auto numeric = lossOf.difference(group.part, along, options.tolerance, least);
    const bool agree = numeric && std::fabs(numeric->derivative - expected) <= std::max(options.tolerance * least, numeric->noise);
    if (!agree && samples.size() > 1) {
      compareHalves(group, samples, along);
      return;
    }
    for (std::size_t k = 0; k < samples.size(); ++k) {
      const Sample &s = samples[k];
      SampleReport &report = parameters[s.parameter].report;
      if (!numeric) {
        ++report.redrawn;
        continue;
      }
      ++(along[k].elements.empty() ? report.directions : report.entries);
      compare(report, s.expected / s.scale, (s.expected + numeric->derivative - expected) / s.scale,
              std::max(s.least, numeric->noise / options.tolerance) / s.scale, s.where);
    }
  }

  void compareHalves(Group &group, std::span<const Sample> samples, std::span<const Move> along) {
    if (group.halves.empty()) {
      const std::span<const int> all = group.members;
      group.halves = {groupOf(all.first(all.size() / 2)), groupOf(all.subspan(all.size() / 2))};
    }
    const int middle = group.halves[1].members.front();
    const auto second = std::find_if(samples.begin(), samples.end(), [&](const Sample &s) { return s.parameter >= middle; });
    const auto first = static_cast<std::size_t>(second - samples.begin());
    compareTogether(group.halves[0], samples.first(first), along.first(first));
    compareTogether(group.halves[1], samples.subspan(first), along.subspan(first));
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
    while (report.compared < options.directions && report.redrawn <= options.directions) {
      const std::vector<Move> along = unitDirection(report.compared + report.redrawn);
      double expected = 0;
      for (std::size_t k = 0; k < along.size(); ++k)
        expected += dot(along[k].by, values.at(parameters[k].gradient));
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
  void noteStopped(SampleReport &report, std::span<const Move> along, const LossFunction::Difference &held,
                   double least) {
    if (std::none_of(loss.formulas.begin(), loss.formulas.end(),
                     [](const graph::Formula &f) { return f.origin == stopOrigin; }))
      return;
    std::vector<int> tensors;
    for (const Move &m : along)
      tensors.push_back(m.tensor);
    LossFunction::Part part = lossOf.part(tensors, /*held=*/false);
    const auto free = lossOf.difference(part, along, options.tolerance, std::max(std::fabs(held.derivative), least));
    if (free && std::fabs(free->derivative - held.derivative) <=
                    options.tolerance * std::max({std::fabs(held.derivative), least}) + free->noise + held.noise)
      return;
    report.note = "stop_gradient changes the gradient: it is compared with the differences of the loss with "
                  "what stands under stop_gradient held fixed";
  }

  std::vector<Move> unitDirection(int number) const {
    std::vector<Move> along;
    for (const Parameter &p : parameters)
      along.push_back({p.tensor, {}, drawn(elementCount(loss.tensors[p.tensor]),
                                           {options.seed, fmt::format("direction {} over all, {}", number, p.report.name)},
                                           [](Randomness &random, std::size_t) { return 2 * random.uniform() - 1; })});
    makeUnit(along);
    return along;
  }

  /// Returns the length that the direction had.
  static double makeUnit(std::vector<Move> &along) {
    double square = 0;
    for (const Move &m : along)
      square += dot(m.by, m.by);
    const double length = std::sqrt(square);
    for (Move &m : along)
      scale(m.by, 1 / length);
    return length;
  }

  double lossSize() const {
    double size = 0;
    for (const Result &r : loss.results)
      size += std::fabs(values.at(r.tensor).at(0));
    return size;
  }

  const CheckOptions &options;
  const Graph loss; // of a few samples, not differentiated
  Values values;    // of the loss graph and of the gradients, at the point where they are checked
  LossFunction lossOf;
  std::vector<Parameter> parameters;
  std::map<int, Group> single; // by parameter
  std::vector<Group> groups;   // for the directions
  int directions = 0;          // through each parameter
};

} // namespace

CheckReport checkGradients(const Graph &graph, const CheckOptions &options, Diagnostics &diagnostics) {
  for (std::int64_t batch : {usualBatch, largerBatch})
    if (GradientCheck check(graph, batch, options); !check.evaluateGradients(diagnostics))
      return {};
    else if (batch == largerBatch || !check.hasTinyGradient())
      return check.compareGradients();
  return {};
}

} // namespace netc::grad
