#include "compiler/explain/algebra.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace netc::explain {

namespace {

using Kind = Term::Kind;
using Bindings = std::map<int, Affine>; // index of the pattern -> what stands for it
using Continue = std::function<bool(Bindings &)>;

/// Matches a pattern, whose free indices are `holes`, with a term; both simplified.
class Matcher {
 public:
  explicit Matcher(const std::vector<int> &holes) : holes(holes) {}

  bool match(const Term &p, const Term &s, Bindings &b, const Continue &rest) const {
    if (p.kind != s.kind || p.name != s.name || p.tensor != s.tensor || p.op != s.op || p.mean != s.mean) return false;
    if (p.kind == Kind::Number) return p.value == s.value && rest(b);
    if (p.kind == Kind::Call && p.fn != s.fn) return false;
    if (p.kind == Kind::Product && p.value != s.value) return false;
    if (p.args.size() != s.args.size() || p.reduced.size() != s.reduced.size() || p.guards.size() != s.guards.size()) return false;
    Bindings inner = b;
    for (std::size_t i = 0; i < p.reduced.size(); ++i) inner[p.reduced[i]] = Affine::var(s.reduced[i]);
    if (!affine(p.affine, s.affine, inner) || !all(p.map, s.map, inner) || !all(p.guards, s.guards, inner)) return false;
    if (p.kind == Kind::Sum || p.kind == Kind::Product) {
      std::vector<char> used(s.args.size(), 0);
      return anyOrder(p, s, 0, used, inner, [&](Bindings &done) { return rest(b = done); });
    }
    return inOrder(p, s, 0, inner, [&](Bindings &done) { return rest(b = done); });
  }

  /// The factors of `p` among those of `s`; `used` receives the powers taken.
  bool factors(const Term &p, const Term &s, std::size_t i, std::vector<int> &used, Bindings &b, const Continue &rest) const {
    if (i == p.args.size()) return rest(b);
    for (std::size_t j = 0; j < s.args.size(); ++j) {
      const int left = s.powers[j] - used[j], want = p.powers[i];
      if (left * want <= 0 || std::abs(left) < std::abs(want)) continue;
      Bindings inner = b;
      used[j] += want;
      if (match(*p.args[i], *s.args[j], inner, [&](Bindings &x) { return factors(p, s, i + 1, used, x, rest); })) return true;
      used[j] -= want;
    }
    return false;
  }

 private:
  bool affine(const Affine &p, const Affine &s, Bindings &b) const {
    int v = -1;
    if (p.isVar(&v) && !b.count(v) && std::find(holes.begin(), holes.end(), v) != holes.end()) b[v] = s;
    bool open = false;
    const Affine filled = p.substitute([&](int x) {
      open |= !b.count(x);
      return b.count(x) ? b.at(x) : Affine::var(x);
    });
    return filled == s && !open;
  }

  bool all(const std::vector<Affine> &p, const std::vector<Affine> &s, Bindings &b) const {
    for (std::size_t i = 0; i < p.size(); ++i)
      if (!affine(p[i], s[i], b)) return false;
    return true;
  }

  bool inOrder(const Term &p, const Term &s, std::size_t i, Bindings &b, const Continue &rest) const {
    if (i == p.args.size()) return rest(b);
    return match(*p.args[i], *s.args[i], b, [&](Bindings &x) { return inOrder(p, s, i + 1, x, rest); });
  }

  bool anyOrder(const Term &p, const Term &s, std::size_t i, std::vector<char> &used, Bindings &b, const Continue &rest) const {
    if (i == p.args.size()) return rest(b);
    for (std::size_t j = 0; j < s.args.size(); ++j) {
      if (used[j] || (p.kind == Kind::Product && p.powers[i] != s.powers[j])) continue;
      used[j] = 1;
      Bindings inner = b;
      if (match(*p.args[i], *s.args[j], inner, [&](Bindings &x) { return anyOrder(p, s, i + 1, used, x, rest); })) return true;
      used[j] = 0;
    }
    return false;
  }

  const std::vector<int> &holes;
};

TermPtr reading(const KnownValue &v, const Bindings &b) {
  std::vector<Affine> map;
  for (int i : v.indices) {
    if (!b.count(i)) return nullptr;
    map.push_back(b.at(i));
  }
  return readOf(v.tensor, std::move(map));
}

/// The term without the factors of a known product, times a read of it.
TermPtr insideProduct(const TermPtr &t, const KnownValue &v) {
  if (t->kind != Kind::Product || v.value->kind != Kind::Product || v.value->value != 1) return nullptr;
  Matcher m(v.indices);
  Bindings b;
  std::vector<int> used(t->args.size(), 0);
  TermPtr read;
  if (!m.factors(*v.value, *t, 0, used, b, [&](Bindings &done) { return (read = reading(v, done)) != nullptr; })) return nullptr;
  TermPtr rest = number(t->value);
  for (std::size_t i = 0; i < used.size(); ++i) {
    const int left = t->powers[i] - used[i];
    for (int k = 0; k < std::abs(left); ++k) rest = call(left > 0 ? Fn::Mul : Fn::Div, {rest, t->args[i]});
  }
  return call(Fn::Mul, {read, rest});
}

TermPtr replacement(const TermPtr &t, const KnownValue &v, Indices &indices) {
  Matcher m(v.indices);
  Bindings b;
  TermPtr read;
  auto found = [&](Bindings &done) { return (read = reading(v, done)) != nullptr; };
  if (m.match(*v.value, *t, b, found)) return read;
  if (TermPtr other = insideProduct(t, v)) return other;
  const bool bothSigmoid = t->kind == Kind::Call && t->fn == Fn::Sigmoid && v.value->kind == Kind::Call && v.value->fn == Fn::Sigmoid;
  if (!bothSigmoid) return nullptr;
  b.clear();
  if (!m.match(*v.value->args[0], *simplified(negated(t->args[0]), indices), b, found)) return nullptr;
  return call(Fn::Sub, {number(1), read});
}

/// sum(k) (x[k] - m), where m is the mean of x over k: it is 0.
bool isCentred(const Term &t, std::span<const KnownValue> known, Indices &indices) {
  if (t.kind != Kind::Reduce || t.op != graph::Combine::Sum || !t.guards.empty()) return false;
  const Term &body = *t.args[0];
  if (body.kind != Kind::Sum || body.args.size() != 2) return false;
  const Term &second = *body.args[1];
  if (second.kind != Kind::Product || second.value != -1 || second.args.size() != 1 || second.powers[0] != 1) return false;
  TermPtr mean = withArgs(t, {body.args[0]});
  double points = 1;
  for (int v : t.reduced) {
    const graph::Extent &e = indices[static_cast<std::size_t>(v)].extent;
    if (e.batch && !t.mean) mean = call(Fn::Div, {mean, named("N")});
    if (!e.batch) points *= static_cast<double>(e.size);
  }
  mean = simplified(call(Fn::Mul, {number(1 / points), mean}), indices);
  return std::any_of(known.begin(), known.end(), [&](const KnownValue &v) {
    const TermPtr read = replacement(mean, v, indices);
    return read && key(*read) == key(*second.args[0]);
  });
}

TermPtr once(const TermPtr &t, std::span<const KnownValue> known, Indices &indices) {
  if (isCentred(*t, known, indices)) return number(0);
  for (const KnownValue &v : known)
    if (TermPtr other = replacement(t, v, indices)) return other;
  for (std::size_t i = 0; i < t->args.size(); ++i)
    if (TermPtr other = once(t->args[i], known, indices)) {
      std::vector<TermPtr> args = t->args;
      args[i] = other;
      return withArgs(*t, std::move(args));
    }
  return nullptr;
}

} // namespace

TermPtr recognised(const TermPtr &t, std::span<const KnownValue> known, Indices &indices) {
  TermPtr now = t;
  constexpr int most = 50; // each replaces something larger than a read; a bound all the same
  for (int i = 0; i < most; ++i) {
    const TermPtr next = once(now, known, indices);
    if (!next) break;
    now = simplified(next, indices);
  }
  return now;
}

} // namespace netc::explain
