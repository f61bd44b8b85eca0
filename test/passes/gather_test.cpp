// Scattered sums with random strides, kernels, dilations, offsets and extents, in one to three indices a
// dimension: scatterToGather keeps every value exactly, the verifier accepts its result, and with at most two
// indices a dimension (any convolution) no two points meet in a dimension any more.
#include "compiler/graph/evaluator.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verifier.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

#include <fmt/format.h>

#include <cstdlib>
#include <random>

using namespace netc;

namespace {

std::mt19937_64 random_(1);
int between(int low, int high) {
  return std::uniform_int_distribution<int>(low, high)(random_);
}

struct Case {
  std::string text;
  bool mustGather = true; // at most two indices in each dimension
};

/// One dimension's map over fresh indices, its result extent, and the domain text.
struct Dimension {
  std::string map, domain;
  std::vector<std::string> names;
  std::vector<int> extents;
  int size = 0;
};

Dimension dimension(int number, int terms, bool negative) {
  Dimension d;
  int low = 0, high = 0;
  std::string map;
  for (int k = 0; k < terms; ++k) {
    const std::string name = fmt::format("{}{}", "iuv"[k], number);
    const int extent = between(1, k == 0 ? 6 : 4),
              coefficient = between(1, 4) * (negative && k == 1 ? -1 : 1);
    map += fmt::format("{}{}*{}", k == 0 ? "" : coefficient < 0 ? " - " : " + ", std::abs(coefficient), name);
    d.domain += fmt::format("{}{} < {}", k ? ", " : "", name, extent);
    d.names.push_back(name);
    d.extents.push_back(extent);
    (coefficient < 0 ? low : high) += coefficient * (extent - 1);
  }
  const int offset = -low + between(0, 2);
  d.map = fmt::format("{} + {}", map, offset);
  d.size = high + offset + 1 + between(0, 3);
  return d;
}

Case makeCase() {
  Case c;
  const int dimensions = between(1, 2);
  std::string map, domain, shape, subscripts, extents, guard;
  for (int k = 0; k < dimensions; ++k) {
    const int terms = between(1, 3);
    c.mustGather &= terms <= 2;
    const Dimension d = dimension(k, terms, between(0, 3) == 0);
    map += (k ? ", " : "") + d.map;
    domain += (k ? ", " : "") + d.domain;
    shape += fmt::format("{}{}", k ? ", " : "", d.size);
    for (std::size_t i = 0; i < d.names.size(); ++i) {
      subscripts += (subscripts.empty() ? "" : ", ") + d.names[i];
      extents += fmt::format("{}{}", extents.empty() ? "" : ", ", d.extents[i]);
    }
    if (k == 0 && between(0, 2) == 0) guard = fmt::format("where {} - 1 >= 0", d.names.back());
  }
  c.text = fmt::format(R"(module g batch 2
input a: f32[{0}]
entry e {{
  sum y: f32[{1}] {{ [{2}] += a[{3}] over {4} {5} }}
  output y = y
}}
)",
                       extents, shape, map, subscripts, domain, guard);
  return c;
}

std::vector<double> valueOf(const graph::Graph &g) {
  graph::Values values;
  const int a = g.find("a");
  std::int64_t count = 1;
  for (const graph::Extent &e : g.tensors[a].shape)
    count *= e.size;
  for (std::int64_t i = 0; i < count; ++i)
    values[a].push_back(static_cast<double>((i * 37) % 101 - 50)); // exact sums
  graph::evaluate(g, values, {graph::Precision::Float64, 2, {}});
  return values.at(g.find("y"));
}

bool isGather(const graph::Formula &f) {
  for (const graph::Clause &c : f.clauses)
    for (const Affine &a : c.out)
      if (!passes::isInjective(c.domain, {a})) return false;
  return true;
}

} // namespace

int main() {
  constexpr int cases = 1500;
  int failures = 0, rewritten = 0;
  for (int k = 0; k < cases && failures < 5; ++k) {
    const Case c = makeCase();
    Diagnostics diagnostics;
    graph::Module m = graph::parse(c.text, "case.graph", diagnostics);
    if (diagnostics.hasErrors() || !graph::verify(m, diagnostics)) {
      fmt::print("bad case {}\n{}{}", k, c.text, diagnostics.str());
      return 1;
    }
    const std::vector<double> before = valueOf(m.entries[0]);
    const graph::Clause original = m.entries[0].formulas[0].clauses[0];
    passes::scatterToGather(m.entries[0]);
    const graph::Formula &f = m.entries[0].formulas[0];
    const bool changed = f.clauses.size() != 1 || !(f.clauses[0] == original);
    rewritten += changed;
    if (!graph::verify(m, diagnostics) || valueOf(m.entries[0]) != before || (c.mustGather && !isGather(f))) {
      fmt::print("case {} is wrong\n{}{}{}", k, c.text, graph::print(m), diagnostics.str());
      ++failures;
    }
  }
  fmt::print("{} cases, {} rewritten, {} failures\n", cases, rewritten, failures);
  return failures == 0 && rewritten > cases / 4 ? 0 : 1;
}
