#include "compiler/graph/text.h"
#include "function_test.h"

#include <fmt/format.h>

#include <cmath>
#include <random>
#include <vector>

namespace netc::test {

namespace {

using graph::Body;
using graph::Node;

constexpr int resultLetter = 3; // a, b, c are 0, 1, 2

double evaluate(const Body &b, const double *args, double result) {
  std::vector<double> v;
  for (const Node &n : b.nodes) {
    double inner[3] = {};
    for (std::size_t i = 0; i < n.args.size(); ++i)
      inner[i] = v[n.args[i]];
    v.push_back(n.kind == Node::Kind::Const    ? n.value
                : n.kind == Node::Kind::Scalar ? (n.id == resultLetter ? result : args[n.id])
                                               : row(n.fn).value(inner));
  }
  return v[b.root];
}

/// A central difference of fourth order, and its own likely error: what a step twice as long gives.
double slope(const FnRow &f, const double *args, int argument, double step) {
  const auto at = [&](double distance) {
    double moved[3] = {args[0], args[1], args[2]};
    moved[argument] += distance;
    return f.value(moved);
  };
  return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
}

} // namespace

int checkDerivative(const FnRow &f, int argument) {
  Body derivative;
  derivative.root = graph::parseExpression(f.derivative[argument], derivative, [&](std::string_view name) {
    if (name == "y") return derivative.scalar(resultLetter);
    return name.size() == 1 && name[0] >= 'a' && name[0] <= 'c' ? derivative.scalar(name[0] - 'a') : -1;
  });
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> any(-6, 6);
  int compared = 0;
  for (int k = 0; k < 4000; ++k) {
    const double args[3] = {any(random), any(random), any(random)};
    const double got = evaluate(derivative, args, f.value(args));
    const double want = slope(f, args, argument, 1e-4), coarse = slope(f, args, argument, 3e-4);
    if (!std::isfinite(want) || std::fabs(want - coarse) > 1e-7 * (1 + std::fabs(want))) continue; // a step or a kink
    ++compared;
    if (std::fabs(got - want) <= 1e-6 * (1 + std::fabs(want))) continue;
    fmt::print("{}: derivative {} is {} at {}, {}, {}; the value's slope is {}\n", f.name, argument + 1, got, args[0],
               args[1], args[2], want);
    return 1;
  }
  if (compared >= 500) return 0;
  fmt::print("{}: derivative {} was compared in {} points only\n", f.name, argument + 1, compared);
  return 1;
}

} // namespace netc::test
