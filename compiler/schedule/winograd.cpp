// Which formulas are convolutions, and for which of them Winograd's filtering takes less time.
#include "compiler/schedule/winograd.h"

#include "compiler/schedule/plan_parts.h"

#include <algorithm>
#include <optional>

namespace netc::schedule {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Index;

namespace {

// What the model takes for the price of a transformed element, written and read, and of a kernel's, in cycles.
constexpr double multiplyAddsPerCycle = 24, ofPeak = 0.93; // between the 16 and 32 of processors: all filter alike
constexpr double elementCycles = 0.6, kernelCycles = 2;
constexpr double worthIt = 0.9;

const Filtering byTwo{2,
                      {"winograd2.input", 4, {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1}},
                      {"winograd2.kernel", 3, {1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1}},
                      {"winograd2.result", 2, {1, 0, 1, 1, 1, -1, 0, -1}}};
const Filtering byFour{4,
                       {"winograd4.input", 6, {4, 0, -5, 0, 1,  0, 0, -4, -4, 1, 1, 0, 0, 4, -4, -1, 1, 0,
                                               0, -2, -1, 2, 1, 0, 0, 2, -1, -2, 1, 0, 0, 4, 0, -5, 0, 1}},
                       {"winograd4.kernel", 3, {1 / 4., 0, 0, -1 / 6., -1 / 6., -1 / 6., -1 / 6., 1 / 6., -1 / 6.,
                                                1 / 24., 1 / 12., 1 / 6., 1 / 24., -1 / 12., 1 / 6., 0, 0, 1}},
                       {"winograd4.result", 4, {1, 0, 0, 0, 1, 1, 1, 1, 1, -1, 1, -1, 1, 2, 4, 8, 1, -2, 4, -8, 0, 0, 0, 1}}};

bool allPlain(const Factor &o) {
  return std::all_of(o.map.begin(), o.map.end(), [](const Affine &a) { return a.isVar(); });
}

/// Every index runs over one dimension of a factor, and over some factor.
bool runOnce(const Clause &c, const Convolution &conv) {
  for (int p = 0; p < static_cast<int>(c.domain.size()); ++p) {
    std::ptrdiff_t used = 0;
    for (const Factor *f : {&conv.x, &conv.w, &conv.y}) {
      const auto dimensions = std::count_if(f->map.begin(), f->map.end(), [&](const Affine &a) { return a.uses(p); });
      if (dimensions > 1) return false;
      used += dimensions;
    }
    if (used == 0) return false;
  }
  return true;
}

/// Each guard is on i + u of one direction, so that it is one on the element of x.
bool guardsElements(const Clause &c, const Convolution &conv) {
  return std::all_of(c.guards.begin(), c.guards.end(), [&](const Affine &g) {
    return std::any_of(conv.directions.begin(), conv.directions.end(), [&](const Direction &d) {
      const std::int64_t k = g.coefficient(d.i);
      return g.terms().size() == 2 && (k == 1 || k == -1) && g.coefficient(d.u) == (d.flipped ? -k : k);
    });
  });
}

std::optional<Convolution> asConvolution(const Graph &g, const Clause &c, Factor x, Factor w, Factor y) {
  Convolution conv{std::move(x), std::move(w), std::move(y), {}};
  if (!allPlain(conv.w) || !allPlain(conv.y)) return std::nullopt;
  for (const Affine &a : conv.x.map) {
    if (a.isVar()) continue;
    if (a.terms().size() != 2) return std::nullopt;
    Direction d;
    for (auto &[v, k] : a.terms())
      (conv.y.runsOver(v) ? d.i : d.u) = v;
    if (d.i < 0 || d.u < 0 || !conv.w.runsOver(d.u) || conv.w.runsOver(d.i) || a.coefficient(d.i) != 1) return std::nullopt;
    const std::int64_t k = a.coefficient(d.u);
    if ((k != 1 && k != -1) || c.domain[d.u].extent.size != kernelSize) return std::nullopt;
    d.flipped = k < 0;
    d.offset = a.constant() - (d.flipped ? kernelSize - 1 : 0);
    conv.directions.push_back(d);
  }
  if (conv.directions.size() != directions || !runOnce(c, conv) || !guardsElements(c, conv)) return std::nullopt;
  // Samples stand first.
  const auto batch = [&](const Factor &o) { return g.tensors[o.tensor].shape[0].batch ? varOf(o.map[0]) : -1; };
  if (batch(conv.x) < 0 || batch(conv.x) != batch(conv.y) || conv.w.runsOver(batch(conv.x))) return std::nullopt;
  return conv;
}

std::optional<Convolution> convolution(const Graph &g, const Formula &f) {
  if (f.clauses.size() != 1 || f.otherwise || !isContraction(f, f.clauses[0])) return std::nullopt;
  const Clause &c = f.clauses[0];
  const std::vector<int> &reads = c.body.nodes[c.body.root].args;
  const auto factor = [&](int n) { return Factor{c.body.nodes[n].id, c.body.nodes[n].map}; };
  const Factor result{f.target, c.out};
  for (const auto &[x, other] : {std::pair{reads[0], reads[1]}, std::pair{reads[1], reads[0]}}) {
    if (c.body.nodes[x].map.empty() || c.body.nodes[other].map.empty() || c.out.empty()) continue;
    if (auto conv = asConvolution(g, c, factor(x), factor(other), result)) return conv;
    if (auto conv = asConvolution(g, c, factor(x), result, factor(other))) return conv;
  }
  return std::nullopt;
}

/// The elements of a factor in transformed tiles; of several factors, the points of their product.
double transformed(const Clause &c, const Convolution &conv, const Filtering &by, const std::vector<const Factor *> &factors) {
  auto n = static_cast<double>(by.products() * by.products());
  for (int p = 0; p < static_cast<int>(c.domain.size()); ++p) {
    const std::int64_t extent = c.domain[p].extent.size;
    if (!conv.ofKernel(p) && std::any_of(factors.begin(), factors.end(), [&](const Factor *f) { return f->runsOver(p); }))
      n *= static_cast<double>(conv.ofImage(p) ? by.tiles(extent) : extent);
  }
  return n;
}

double products(const Clause &c, const Convolution &conv, const Filtering &by) {
  return transformed(c, conv, by, {&conv.x, &conv.w, &conv.y});
}

/// By the model, in cycles.
double directCycles(const Clause &c) {
  double points = 1;
  for (const Index &i : c.domain)
    points *= static_cast<double>(i.extent.size);
  return points / multiplyAddsPerCycle / ofPeak;
}
double cycles(const Clause &c, const Convolution &conv, const Filtering &by) {
  return products(c, conv, by) / multiplyAddsPerCycle / ofPeak +
         elementCycles * (transformed(c, conv, by, {&conv.x}) + transformed(c, conv, by, {&conv.y})) +
         kernelCycles * transformed(c, conv, by, {&conv.w});
}

/// The fastest filtering of those allowed; null: none is worth it.
const Filtering *choose(const Clause &c, const Convolution &conv, bool allowFour) {
  const Filtering *best = nullptr;
  double least = worthIt * directCycles(c);
  for (const Filtering *by : {&byTwo, &byFour}) {
    if (by == &byFour && !allowFour) continue;
    if (products(c, conv, *by) > worthIt * existingPoints(c)) continue; // guards leave as few where most is a border
    if (const double cost = cycles(c, conv, *by); cost < least) best = by, least = cost;
  }
  return best;
}

} // namespace

void winograd(Graph &g, bool allowFour) {
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const std::optional<Convolution> conv = convolution(g, g.formulas[i]);
    const Filtering *by = conv ? choose(g.formulas[i].clauses[0], *conv, allowFour) : nullptr;
    if (!by) continue;
    std::vector<Formula> made = filtered(g, g.formulas[i], *conv, *by);
    g.formulas.erase(g.formulas.begin() + static_cast<std::ptrdiff_t>(i));
    g.formulas.insert(g.formulas.begin() + static_cast<std::ptrdiff_t>(i), made.begin(), made.end());
    i += made.size() - 1;
  }
}

} // namespace netc::schedule
