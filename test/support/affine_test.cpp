// Random sums, differences, multiples and substitutions of affine expressions, against maps from variable to coefficient. Most
// have more terms than an Affine holds in itself.
#include "compiler/support/affine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <vector>

using netc::Affine;

namespace {

constexpr int variables = 9, rounds = 2000, pool = 12;

/// The constant under -1. No coefficient is 0 but the constant's.
using Model = std::map<int, std::int64_t>;

Model sum(Model a, const Model &b, std::int64_t factor) {
  for (auto &[v, k] : b)
    if ((a[v] += factor * k) == 0 && v >= 0) a.erase(v);
  return a;
}

Model modelOf(const Affine &a) {
  Model m{{-1, a.constant()}};
  int before = -1;
  for (auto &[v, k] : a.terms()) {
    if (v <= before || k == 0) return {}; // sorted, and none is 0
    m[before = v] = k;
  }
  return m;
}

} // namespace

int main() {
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::vector<Affine> values(pool);
  std::vector<Model> models(pool, Model{{-1, 0}});
  int failures = 0;
  std::size_t longest = 0;
  for (int i = 0; i < rounds; ++i) {
    const int to = below(pool), a = below(pool), b = below(pool), v = below(variables), k = below(5) - 2;
    Affine made;
    Model expected;
    switch (below(5)) {
    case 0: made = Affine::var(v, k) + below(9), expected = sum(Model{{-1, made.constant()}}, {{v, k}}, 1); break;
    case 1: made = values[a] + values[b], expected = sum(models[a], models[b], 1); break;
    case 2: made = values[a] - values[b], expected = sum(models[a], models[b], -1); break;
    case 3: (made = values[a]) += made, expected = sum(models[a], models[a], 1); break;
    default:
      made = values[a].substitute(v, values[b]);
      expected = models[a];
      if (const std::int64_t old = values[a].coefficient(v); old != 0) expected.erase(v), expected = sum(expected, models[b], old);
    }
    const bool large = std::any_of(expected.begin(), expected.end(), [](const auto &t) { return std::abs(t.second) > 1000; });
    if (large) made = Affine(), expected = {{-1, 0}};
    if (modelOf(made) != expected || (made == values[a]) != (expected == models[a])) ++failures;
    longest = std::max(longest, made.terms().size());
    values[to] = a == to ? std::move(made) : made; // moved and copied
    models[to] = expected;
    if (modelOf(values[to]) != expected) ++failures;
  }
  std::printf("%d rounds, up to %zu terms, %d failures\n", rounds, longest, failures);
  return failures == 0 ? 0 : 1;
}
