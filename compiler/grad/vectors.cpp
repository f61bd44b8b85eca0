#include "compiler/grad/vectors.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace netc::grad {
namespace {

double sum(const std::vector<double> &values) { return std::accumulate(values.begin(), values.end(), 0.0); }

} // namespace

double largestSize(const std::vector<double> &v) {
  return largestOf(v.size(), [&](std::size_t i) { return std::fabs(v[i]); });
}

double dot(const std::vector<double> &a, const std::vector<double> &b) {
  return sum(ofPieces(a.size(), [&](std::size_t begin, std::size_t end) {
    return std::inner_product(a.begin() + begin, a.begin() + end, b.begin() + begin, 0.0);
  }));
}

void scale(std::vector<double> &v, double by) {
  inPieces(v.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      v[i] *= by;
  });
}

void add(std::vector<double> &to, const std::vector<double> &from, double step, const std::vector<double> &by) {
  inPieces(to.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      to[i] = from[i] + step * by[i];
  });
}

} // namespace netc::grad
