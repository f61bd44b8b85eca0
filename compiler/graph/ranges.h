// What an affine expression can be over the points of a clause: the verifier's only mathematics.
#pragma once

#include "compiler/graph/graph.h"

#include <functional>

namespace netc::graph {

/// The domain, each index narrowed as far as guards narrow it on their own; every existing point lies inside.
struct Box {
  std::vector<Interval> of;
  bool empty = false; // no point exists
  bool exact = true;  // every point inside exists: no guard relates several indices
  std::int64_t extent(int p) const { return of[p].max - of[p].min + 1; }
};

/// Batch indices run to `batch`.
Box boxOf(const Clause &, std::int64_t batch);

/// Bounds of `a` over the existing points: intervals first, then the guards that share its variables (h - u lies in
/// 0..9 under h - u >= 0 and 9 - h + u >= 0), then, where these do not reach `wanted`, all points if they are few.
Interval rangeOf(const Clause &, const Box &, const Affine &a, Interval wanted);

/// A point's number among those of its element, as argmax gives it: the mixed-radix number of the reduction indices.
Affine ordinal(const Clause &);
/// What an argmax or argmin gives: ordinals, and what stands where there is no point.
Interval valuesOfOrdinals(const Formula &);
constexpr Interval valuesOfU8{0, 255};

/// The indices among `seed` and those that guards tie to them, in domain order.
std::vector<int> connected(const Clause &, std::vector<char> seed);

/// Calls row(values, p, begin, end) for each run of existing points: `values` holds one value a domain index, and index
/// p (the last of `indices`) runs over begin <= values[p] < end. Indices not listed stay at their least value and
/// their guards are ignored. Stops and returns false when row() does or when there are more than `limit` points.
using PointRow = std::function<bool(std::vector<std::int64_t> &values, int p, std::int64_t begin, std::int64_t end)>;
bool forEachRow(const Clause &, const Box &, const std::vector<int> &indices, std::int64_t limit, const PointRow &row);

} // namespace netc::graph
