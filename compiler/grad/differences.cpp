#include "compiler/grad/differences.h"

#include "compiler/grad/dependence.h"
#include "compiler/grad/differentiate.h"

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

/// The tensors that some formula reads and none computes.
std::vector<int> startingTensors(const Graph &g) {
  std::vector<char> known(g.tensors.size(), 0);
  std::vector<int> starts;
  for (const graph::Formula &f : g.formulas) {
    for (int t : readTensors(f))
      if (!known[t] && g.tensors[t].kind != TensorKind::Constant) {
        known[t] = 1;
        starts.push_back(t);
      }
    known[f.target] = 1;
  }
  return starts;
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
  p.reads = startingTensors(p.rest);
  p.work = graph::evaluationWork(p.rest);
  return p;
}

LossFunction::Point LossFunction::at(const Part &part, const Direction &along, double step) const {
  graph::Values moved;
  for (int t : part.reads)
    moved[t] = values.at(t);
  for (auto &[t, direction] : along)
    if (const auto v = moved.find(t); v != moved.end())
      for (std::size_t i = 0; i < direction.size(); ++i)
        v->second[i] += step * direction[i];
  graph::Decisions made;
  graph::evaluate(part.rest, moved, how, part.losses, &made);
  Point p{0, 0, made.hash};
  for (int t : part.losses)
    for (double v : moved[t]) {
      p.total += v;
      p.magnitude += std::fabs(v);
    }
  return p;
}

bool LossFunction::isSmooth(const Part &part, const Direction &along, double step, Difference &result) const {
  const double offsets[4] = {-2, -1, 1, 2};
  Point p[4];
  double size = 0;
  for (int i = 0; i < 4; ++i) {
    p[i] = at(part, along, offsets[i] * step);
    if (p[i].decisions != p[0].decisions) return false;
    size = std::max(size, p[i].magnitude);
  }
  const double near = (p[2].total - p[1].total) / (2 * step), far = (p[3].total - p[0].total) / (4 * step);
  result = {(4 * near - far) / 3, std::fabs(far - near) / 3, amplified * lossRounding * size / step};
  return true;
}

std::optional<LossFunction::Difference> LossFunction::difference(Part &part, const Direction &along,
                                                                 double tolerance, double least) const {
  if (part.empty()) return Difference{};
  std::optional<Difference> best;
  for (int s = part.largestStep; s < static_cast<int>(std::size(steps)); ++s) {
    Difference d;
    if (!isSmooth(part, along, steps[s], d)) continue;
    part.largestStep = std::max(0, s - 1); // the next sample of this part hardly takes a larger one
    best = d;
    if (d.bend <= curvature * std::max({std::fabs(d.derivative), least, d.noise / tolerance})) break;
  }
  return best;
}

bool LossFunction::same(const Part &part, const Direction &along) const {
  if (part.empty()) return true;
  const Point here = at(part, along, 0), there = at(part, along, 1);
  return std::fabs(here.total - there.total) <= sameLoss * std::max(here.magnitude, there.magnitude);
}

} // namespace netc::grad
