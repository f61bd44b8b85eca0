#include "compiler/support/affine.h"

#include <algorithm>

namespace netc {

Affine Affine::var(int v, std::int64_t coefficient) {
  Affine a;
  if (coefficient != 0) a.t.push_back({v, coefficient});
  return a;
}

std::int64_t Affine::coefficient(int v) const {
  for (auto &[var, k] : t)
    if (var == v) return k;
  return 0;
}

bool Affine::isVar(int *v) const {
  if (c != 0 || t.size() != 1 || t[0].second != 1) return false;
  if (v) *v = t[0].first;
  return true;
}

Affine &Affine::operator+=(const Affine &o) {
  c += o.c;
  auto at = t.begin();
  for (const Term &term : o.t) {
    at = std::find_if(at, t.end(), [&](const Term &own) { return own.first >= term.first; });
    if (at == t.end() || at->first != term.first) at = t.insert(at, term);
    else if ((at->second += term.second) == 0) at = t.erase(at);
  }
  return *this;
}

Affine &Affine::operator*=(std::int64_t k) {
  c *= k;
  if (k == 0) t.clear();
  for (auto &term : t) term.second *= k;
  return *this;
}

std::strong_ordering Affine::operator<=>(const Affine &o) const {
  if (c != o.c) return c <=> o.c;
  return std::lexicographical_compare_three_way(t.begin(), t.end(), o.t.begin(), o.t.end());
}

Affine Affine::substitute(FunctionRef<Affine(int)> f) const {
  Affine r(c);
  for (auto &[v, k] : t) r += f(v) * k;
  return r;
}

Affine Affine::substitute(int v, const Affine &by) const {
  const std::int64_t k = coefficient(v);
  if (k == 0) return *this;
  return *this - var(v, k) + by * k;
}

std::int64_t Affine::evaluate(FunctionRef<std::int64_t(int)> value) const {
  std::int64_t r = c;
  for (auto &[v, k] : t) r += k * value(v);
  return r;
}

Interval Affine::range(FunctionRef<Interval(int)> of) const {
  Interval r{c, c};
  for (auto &[v, k] : t) {
    const Interval i = of(v);
    r.min += k > 0 ? k * i.min : k * i.max;
    r.max += k > 0 ? k * i.max : k * i.min;
  }
  return r;
}

std::string Affine::str(FunctionRef<std::string(int)> name) const {
  std::string s;
  for (auto &[v, k] : t) {
    const std::int64_t a = k < 0 ? -k : k;
    s += s.empty() ? (k < 0 ? "-" : "") : (k < 0 ? " - " : " + ");
    if (a != 1) s += std::to_string(a) + "*";
    s += name(v);
  }
  if (s.empty()) return std::to_string(c);
  if (c != 0) s += (c < 0 ? " - " : " + ") + std::to_string(c < 0 ? -c : c);
  return s;
}

} // namespace netc
