// Affine integer expressions  c0 + c1*v1 + c2*v2 + ...  over numbered variables.
// The graph uses domain positions as variables, the loop IR its loop variables.
#pragma once

#include "compiler/support/function_ref.h"
#include "compiler/support/small_vector.h"

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace netc {

/// Closed interval of integers.
struct Interval {
  std::int64_t min = 0, max = 0;
  bool within(const Interval &o) const { return min >= o.min && max <= o.max; }
};

class Affine {
public:
  using Term = std::pair<int, std::int64_t>; // variable, coefficient (never 0)
  using Terms = SmallVector<Term, 3>; // most have no more, and copying them is much of what a compilation does

  Affine(std::int64_t constant = 0) : c(constant) {}
  static Affine var(int v, std::int64_t coefficient = 1);

  std::int64_t constant() const { return c; }
  const Terms &terms() const { return t; } // sorted by variable
  std::int64_t coefficient(int v) const;
  bool isConstant() const { return t.empty(); }
  bool uses(int v) const { return coefficient(v) != 0; }
  /// True for exactly 1*v + 0; `v` receives the variable.
  bool isVar(int *v = nullptr) const;

  Affine &operator+=(const Affine &);
  Affine &operator*=(std::int64_t);
  friend Affine operator+(Affine a, const Affine &b) { return std::move(a += b); }
  friend Affine operator-(Affine a, const Affine &b) { return std::move(a += b * -1); }
  friend Affine operator*(Affine a, std::int64_t k) { return std::move(a *= k); }
  bool operator==(const Affine &) const = default;
  std::strong_ordering operator<=>(const Affine &) const;

  /// Every variable v replaced by f(v).
  Affine substitute(FunctionRef<Affine(int)> f) const;
  /// One variable replaced.
  Affine substitute(int v, const Affine &by) const;
  std::int64_t evaluate(FunctionRef<std::int64_t(int)> value) const;
  /// The exact range when each variable runs over its interval independently.
  Interval range(FunctionRef<Interval(int)> of) const;
  /// "2*i + u - 1"; "0" when empty.
  std::string str(FunctionRef<std::string(int)> name) const;

private:
  std::int64_t c;
  Terms t;
};

} // namespace netc
