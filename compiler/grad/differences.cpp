#include "compiler/grad/differences.h"

#include "compiler/grad/dependence.h"
#include "compiler/grad/differentiate.h"
#include "compiler/grad/vectors.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace netc::grad {

using graph::Graph;
using graph::TensorKind;

namespace {

constexpr double steps[] = {1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7};

/// How far the differences of second and fourth order may be apart. The former's error is this part of the
/// derivative, the latter's about its square: 1e-7.
constexpr double curvature = 3e-4;

/// A loss in float64 is trusted to this part of its size.
constexpr double lossRounding = 16 * std::numeric_limits<double>::epsilon();
constexpr double amplified = 1.5; // (8 + 8 + 1 + 1) / 12: what four such errors may make of the difference, over the step
constexpr double sameLoss = 1e-11; // of its size: after a move of any length, which rounds differently

std::vector<int> changingLosses(const Graph &g, const std::vector<char> &depends) {
  std::vector<int> losses;
  for (const graph::Result &r : g.results)
    if (r.kind == graph::Result::Kind::Loss && depends[r.tensor]) losses.push_back(r.tensor);
  return losses;
}

/// By tensor: it depends on one of the `changed` ones by any way, differentiable or not. `held`: not by one that passes
/// a stop_gradient.
std::vector<char> dependents(const Graph &g, const std::vector<int> &changed, bool held) {
  std::vector<char> depends(g.tensors.size(), 0);
  for (int t : changed)
    depends[t] = 1;
  for (const graph::Formula &f : g.formulas)
    if (!held || f.origin != stopOrigin)
      for (int t : readTensors(f))
        depends[f.target] |= depends[t];
  return depends;
}

} // namespace

/// Parameters that may be away from where they were, until the end of its life.
class LossFunction::Moved {
 public:
  Moved(graph::Values &values, Direction along) : values(values), along(along) {
    for (const Move &m : along) {
      const std::vector<double> &v = values.at(m.tensor);
      auto &kept = before.emplace_back();
      if (m.elements.empty()) kept = v;
      for (std::int64_t e : m.elements)
        kept.push_back(v[e]);
    }
  }
  Moved(const Moved &) = delete;
  ~Moved() {
    for (std::size_t k = 0; k < along.size(); ++k)
      if (std::vector<double> &v = values.at(along[k].tensor); along[k].elements.empty())
        v = std::move(before[k]);
      else
        for (std::size_t i = 0; i < before[k].size(); ++i)
          v[along[k].elements[i]] = before[k][i];
  }

  void to(double step) {
    for (std::size_t k = 0; k < along.size(); ++k) {
      const Move &m = along[k];
      const std::vector<double> &from = before[k];
      std::vector<double> &v = values.at(m.tensor);
      for (std::size_t i = 0; i < m.elements.size(); ++i)
        v[m.elements[i]] = from[i] + step * m.by[i];
      if (m.elements.empty()) add(v, from, step, m.by);
    }
  }

 private:
  graph::Values &values;
  Direction along;
  std::vector<std::vector<double>> before; // by move
};

LossFunction::Part LossFunction::part(const std::vector<int> &parameters, bool held) const {
  const std::vector<char> depends = dependents(loss, parameters, held);
  Part p;
  p.rest = loss;
  p.losses = changingLosses(loss, depends);
  std::vector<char> needed(loss.tensors.size(), 0); // for a loss that changes
  for (int t : p.losses)
    needed[t] = 1;
  for (auto f = loss.formulas.rbegin(); f != loss.formulas.rend(); ++f)
    if (needed[f->target])
      for (int t : readTensors(*f))
        needed[t] = 1;
  std::erase_if(p.rest.formulas,
                [&](const graph::Formula &f) { return !depends[f.target] || !needed[f.target]; });
  for (std::size_t t = 0; t < depends.size(); ++t)
    if (p.rest.tensors[t].kind == TensorKind::Local && !depends[t]) p.rest.tensors[t].kind = TensorKind::Input;
  p.work = graph::evaluationWork(p.rest);
  return p;
}

LossFunction::Point LossFunction::sumOf(const std::vector<int> &losses, const graph::Values &values) {
  Point p;
  for (int t : losses)
    for (double v : values.at(t)) {
      p.total += v;
      p.magnitude += std::fabs(v);
    }
  return p;
}

LossFunction::Point LossFunction::at(const Part &part) {
  graph::Values computed;
  graph::Decisions made;
  graph::evaluate(part.rest, computed, how, part.losses, &made);
  Point p = sumOf(part.losses, computed);
  p.decisions = made.hash;
  return p;
}

/// About the largest step that is smooth, by bisection: a larger one hardly is where a smaller one is not.
int LossFunction::largestStep(const Part &part, Moved &moved) {
  int least = 0, most = static_cast<int>(std::size(steps)) - 1;
  while (least < most) {
    const int middle = (least + most) / 2;
    moved.to(2 * steps[middle]);
    if (at(part).decisions == *part.decisions)
      most = middle;
    else
      least = middle + 1;
  }
  return least;
}

bool LossFunction::isSmooth(const Part &part, Moved &moved, double step, Difference &result) {
  enum { FarBelow, FarAbove, Below, Above }; // the first two are the likeliest to differ
  const double offsets[4] = {-2, 2, -1, 1};
  Point p[4];
  double size = 0;
  for (int i = 0; i < 4; ++i) {
    moved.to(offsets[i] * step);
    p[i] = at(part);
    if (p[i].decisions != *part.decisions) return false;
    size = std::max(size, p[i].magnitude);
  }
  const double near = (p[Above].total - p[Below].total) / (2 * step);
  const double far = (p[FarAbove].total - p[FarBelow].total) / (4 * step);
  result = {(4 * near - far) / 3, std::fabs(far - near) / 3, amplified * lossRounding * size / step};
  return true;
}

std::optional<LossFunction::Difference> LossFunction::difference(Part &part, Direction along,
                                                                 double tolerance, double size) {
  if (part.empty()) return Difference{};
  if (!part.decisions) part.decisions = at(part).decisions;
  Moved moved(values, along);
  if (part.firstStep == unknown) part.firstStep = lastStep;
  if (part.firstStep == unknown) part.firstStep = largestStep(part, moved);
  std::optional<Difference> best;
  const int first = part.firstStep;
  for (int s = first; s < static_cast<int>(std::size(steps)); ++s) {
    Difference d;
    if (!isSmooth(part, moved, steps[s], d)) continue;
    part.firstStep = lastStep = s == first ? std::max(0, s - 1) : s; // the next sample may take a larger one
    best = d;
    if (d.bend <= curvature * std::max(size, d.noise / tolerance)) break;
  }
  return best;
}

bool LossFunction::same(const Part &part, Direction along) {
  if (part.empty()) return true;
  Moved moved(values, along);
  moved.to(1);
  const Point here = sumOf(part.losses, values), there = at(part);
  return std::fabs(here.total - there.total) <= sameLoss * std::max(here.magnitude, there.magnitude);
}

} // namespace netc::grad
