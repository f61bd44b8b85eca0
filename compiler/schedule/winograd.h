// Winograd's minimal filtering, F(2x2, 3x3) and F(4x4, 3x3). A convolution with a kernel of 3 by 3 and stride 1 is a sum over
// three tensors,
//
//   sum x[n, c, i + u, j + v] * w[o, c, u, v] * y[n, o, i, j],
//
// of which x and w are given and y is the result, forward and, with the kernel flipped, for the gradient of the input; or x and y
// are given and w is the result, its gradient. For a tile of m results, in each of the two directions,
//
//   sum(i < m, u < 3) x[i + u] w[u] y[i] = sum(p < m + 2) (B x)[p] (G w)[p] (A y)[p],
//
// 4 products instead of 6, or 6 instead of 12. So the given two are transformed (`.tiles`, `.kernel`, `.gradients`), multiplied for
// each p and q, summed over the other indices as before, and the transposed transform of what comes out is the result: a formula
// each, which all that follows treats like any other. The last tiles reach beyond an image that m does not divide: x and y are 0 there,
// and what comes out there is left out. With m = 2, 16 products make 4 results instead of 36, and the coefficients 1, -1
// and 0.5 lose no accuracy. With m = 4, 36 make 16 instead of 144; their coefficients up to 8 do lose some.
#pragma once

#include "compiler/graph/graph.h"

#include <algorithm>

namespace netc::schedule {

constexpr std::int64_t kernelSize = 3;
constexpr int directions = 2;

struct Matrix {
  const char *name;
  std::int64_t columns;
  std::vector<double> values; // row by row, a row for each product
};
struct Filtering {
  std::int64_t tile; // results
  Matrix input, kernel, result;
  std::int64_t products() const { return tile + kernelSize - 1; }
  std::int64_t tiles(std::int64_t extent) const { return (extent + tile - 1) / tile; }
};
/// A direction in which the kernel slides: x is read at i + u + offset, or at i - u + offset.
struct Direction {
  int i = -1, u = -1; // positions
  bool flipped = false;
  std::int64_t offset = 0; // with u counted such that it is added
};

struct Factor {
  int tensor = -1;
  std::vector<Affine> map;

  bool runsOver(int position) const {
    return std::any_of(map.begin(), map.end(), [&](const Affine &a) { return a.uses(position); });
  }
};

struct Convolution {
  Factor x, w, y;
  std::vector<Direction> directions;

  const Direction *ofImage(int position) const { return find([&](const Direction &d) { return d.i == position; }); }
  const Direction *ofKernel(int position) const { return find([&](const Direction &d) { return d.u == position; }); }

 private:
  template <class Is> const Direction *find(Is is) const {
    const auto d = std::find_if(directions.begin(), directions.end(), is);
    return d == directions.end() ? nullptr : &*d;
  }
};

/// The index that an affine expression is; -1: it is more than that.
inline int varOf(const Affine &a) {
  int v = -1;
  return a.isVar(&v) ? v : -1;
}

/// The formulas that take the place of `f`. The one that alone reads its result, if it works point by point, may be changed to
/// put in order what it makes of the tiles' results.
std::vector<graph::Formula> filtered(graph::Graph &, const graph::Formula &f, const Convolution &, const Filtering &);

} // namespace netc::schedule
