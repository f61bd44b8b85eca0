// Affine integer expressions  c0 + c1*v1 + c2*v2 + ...  over numbered variables.
// The graph uses domain positions as variables, the loop IR its loop variables.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace netc {

/// Closed interval of integers.
struct Interval {
  std::int64_t min = 0, max = 0;
};

class Affine {
public:
  using Term = std::pair<int, std::int64_t>; // variable, coefficient (never 0)

  Affine(std::int64_t constant = 0) : c(constant) {}
  static Affine var(int v, std::int64_t coefficient = 1);

  std::int64_t constant() const { return c; }
  const std::vector<Term> &terms() const { return t; } // sorted by variable
  std::int64_t coefficient(int v) const;
  bool isConstant() const { return t.empty(); }
  bool uses(int v) const { return coefficient(v) != 0; }
  /// True for exactly 1*v + 0; `v` receives the variable.
  bool isVar(int *v = nullptr) const;

  Affine &operator+=(const Affine &);
  Affine &operator*=(std::int64_t);
  friend Affine operator+(Affine a, const Affine &b) { return a += b; }
  friend Affine operator-(Affine a, const Affine &b) { return a += b * -1; }
  friend Affine operator*(Affine a, std::int64_t k) { return a *= k; }
  bool operator==(const Affine &) const = default;
  auto operator<=>(const Affine &) const = default;

  /// Every variable v replaced by f(v).
  Affine substitute(const std::function<Affine(int)> &f) const;
  /// One variable replaced.
  Affine substitute(int v, const Affine &by) const;
  std::int64_t evaluate(const std::function<std::int64_t(int)> &value) const;
  /// The exact range when each variable runs over its interval independently.
  Interval range(const std::function<Interval(int)> &of) const;
  /// "2*i + u - 1"; "0" when empty.
  std::string str(const std::function<std::string(int)> &name) const;

private:
  std::int64_t c;
  std::vector<Term> t;
};

} // namespace netc
