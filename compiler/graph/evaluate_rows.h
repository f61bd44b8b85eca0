// The evaluator's inner loops: one scalar function, or one combine, over a row of points.
#pragma once

#include "compiler/graph/evaluate_clause.h"

#include <array>

namespace netc::graph {

inline constexpr int rowLength = 128;
using Row = std::array<double, rowLength>;

void fillIndex(Row &, std::int64_t first, std::int64_t step, int length);

/// to[i] = f(args[0][i], ...). `single`: real results are rounded to float32 (fma once).
void applyRow(Fn, double *to, const double *const args[3], int length, bool single);

/// Adds what a function decided at each point: comparisons, and the kinks of relu, abs, minimum, maximum, floor.
void recordRow(Decisions &, Fn, const double *result, const double *const args[3], int length);

struct CombineRow {
  const double *values;
  int length;
  std::int64_t out, outStride;         // offset of the element that each point hits
  std::int64_t ordinal, ordinalStride; // number of the point among the reduction indices
  std::int64_t point, pointStride;     // number of the point in the domain
};
void combineRow(Combine, const CombineRow &, bool single, Accumulation &);

} // namespace netc::graph
