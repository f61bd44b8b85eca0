#include "compiler/graph/ranges.h"

#include "compiler/support/division.h"

#include <algorithm>
#include <limits>

namespace netc::graph {

namespace {

constexpr std::int64_t enumerationLimit = 2'000'000;
constexpr std::int64_t maxFactor = 128; // strides are small; larger factors could overflow
constexpr int narrowingRounds = 4; // each round can only narrow; convergence is not needed

Interval overBox(const Box &box, const Affine &a) {
  return a.range([&](int p) { return box.of[p]; });
}

/// The values of index p (with coefficient k in guard) for which k*p + most >= 0 can hold.
void narrow(Interval &i, std::int64_t k, std::int64_t most) {
  if (k > 0)
    i.min = std::max(i.min, ceilDivide(-most, k));
  else
    i.max = std::min(i.max, floorDivide(most, -k));
}

void narrowBy(Box &box, const Affine &guard) {
  if (guard.isConstant())
    box.empty |= guard.constant() < 0;
  for (const auto &[p, k] : guard.terms()) {
    narrow(box.of[p], k, overBox(box, guard - Affine::var(p, k)).max);
    if (box.of[p].min > box.of[p].max) {
      box.empty = true;
      return;
    }
  }
}

/// Bounds that follow from a = factor*g + rest and g >= 0.
void boundByGuard(const Box &box, const Affine &a, const Affine &g, Interval &range) {
  for (const auto &[p, k] : g.terms()) {
    const std::int64_t c = a.coefficient(p);
    if (c == 0 || c % k != 0 || c / k > maxFactor || c / k < -maxFactor)
      continue;
    const Interval rest = overBox(box, a - g * (c / k));
    if (c / k > 0)
      range.min = std::max(range.min, rest.min);
    else
      range.max = std::min(range.max, rest.max);
  }
}

/// The exact range by walking all points; false when they are too many or none.
bool enumerateRange(const Clause &c, const Box &box, const Affine &a, Interval &range) {
  std::vector<char> seed(c.domain.size(), 0);
  for (const auto &[p, k] : a.terms())
    seed[p] = 1;
  Interval found{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  const bool all = forEachRow(c, box, connected(c, seed), enumerationLimit,
                              [&](std::vector<std::int64_t> &v, int p, std::int64_t begin, std::int64_t end) {
                                for (std::int64_t at : {begin, end - 1}) { // affine: extreme at an end of the row
                                  if (p >= 0)
                                    v[p] = at;
                                  const std::int64_t x = a.evaluate([&](int q) { return v[q]; });
                                  found = {std::min(found.min, x), std::max(found.max, x)};
                                }
                                return true;
                              });
  if (all)
    range = found;
  return all;
}

} // namespace

Box boxOf(const Clause &c, std::int64_t batch) {
  Box box;
  for (const Index &i : c.domain) {
    box.of.push_back({0, (i.extent.batch ? batch : i.extent.size) - 1});
    box.empty |= box.of.back().max < 0;
  }
  for (int round = 0; round < narrowingRounds && !box.empty; ++round)
    for (const Affine &g : c.guards)
      if (!box.empty)
        narrowBy(box, g);
  for (const Affine &g : c.guards) // a guard that holds all over the box removes nothing from it
    if (!box.empty && overBox(box, g).min < 0)
      box.exact = false;
  return box;
}

Interval rangeOf(const Clause &c, const Box &box, const Affine &a, Interval wanted) {
  Interval range = overBox(box, a);
  if (range.within(wanted))
    return range;
  for (const Affine &g : c.guards)
    boundByGuard(box, a, g, range);
  if (!range.within(wanted))
    enumerateRange(c, box, a, range);
  return range;
}

Affine ordinal(const Clause &c) {
  Affine number;
  for (int p : c.reduction())
    number = number * c.domain[p].extent.size + Affine::var(p);
  return number;
}

Interval valuesOfOrdinals(const Formula &f) {
  const Clause &c = f.clauses[0];
  Interval range = ordinal(c).range([&](int p) { return Interval{0, c.domain[p].extent.size - 1}; });
  if (!f.otherwise) return range;
  const auto other = static_cast<std::int64_t>(std::clamp(*f.otherwise, -1e18, 1e18));
  return {std::min(range.min, other), std::max(range.max, other)};
}

std::vector<int> connected(const Clause &c, std::vector<char> seed) {
  for (bool grown = true; grown;) {
    grown = false;
    for (const Affine &g : c.guards) {
      auto in = [&](const Affine::Term &t) { return seed[t.first] != 0; };
      if (std::none_of(g.terms().begin(), g.terms().end(), in) || std::all_of(g.terms().begin(), g.terms().end(), in))
        continue;
      for (const auto &[p, k] : g.terms())
        seed[p] = 1;
      grown = true;
    }
  }
  std::vector<int> indices;
  for (std::size_t p = 0; p < seed.size(); ++p)
    if (seed[p])
      indices.push_back(static_cast<int>(p));
  return indices;
}

bool forEachRow(const Clause &c, const Box &box, const std::vector<int> &indices, std::int64_t limit,
                const PointRow &row) {
  std::vector<std::int64_t> values;
  for (const Interval &i : box.of)
    values.push_back(i.min);
  std::int64_t points = 1;
  for (int p : indices) {
    if (box.extent(p) > limit / points)
      return false;
    points *= box.extent(p);
  }
  if (indices.empty())
    return row(values, -1, 0, 1);
  std::vector<Affine> guards;
  for (const Affine &g : c.guards)
    if (!g.isConstant() && std::find(indices.begin(), indices.end(), g.terms()[0].first) != indices.end())
      guards.push_back(g);
  const int inner = indices.back();
  for (;;) {
    Interval run = box.of[inner];
    for (const Affine &g : guards) {
      values[inner] = 0;
      const std::int64_t rest = g.evaluate([&](int q) { return values[q]; });
      if (const std::int64_t k = g.coefficient(inner); k != 0)
        narrow(run, k, rest);
      else if (rest < 0)
        run.max = run.min - 1;
    }
    if (run.min <= run.max && !row(values, inner, run.min, run.max + 1))
      return false;
    int d = static_cast<int>(indices.size()) - 2;
    for (; d >= 0 && values[indices[d]] == box.of[indices[d]].max; --d)
      values[indices[d]] = box.of[indices[d]].min;
    if (d < 0)
      return true;
    ++values[indices[d]];
  }
}

} // namespace netc::graph
