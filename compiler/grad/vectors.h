// Arithmetic on the values of a parameter, which may be hundreds of millions: on all processors.
#pragma once

#include "compiler/grad/sample_values.h"
#include "compiler/support/in_parallel.h"

#include <vector>

namespace netc::grad {

double largestSize(const std::vector<double> &);
double dot(const std::vector<double> &, const std::vector<double> &);
void scale(std::vector<double> &, double by);
/// to = from + step * by
void add(std::vector<double> &to, const std::vector<double> &from, double step, const std::vector<double> &by);

/// of(random, i) for each element, which may draw twice.
template <class Of> std::vector<double> drawn(std::size_t count, const Randomness &from, Of of) {
  std::vector<double> values(count);
  inPieces(count, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      Randomness random = from.after(2 * i);
      values[i] = of(random, i);
    }
  });
  return values;
}

} // namespace netc::grad
