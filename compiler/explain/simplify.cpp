#include "compiler/explain/algebra.h"

#include <algorithm>
#include <cmath>

namespace netc::explain {

namespace {

using Kind = Term::Kind;

struct Factors {
  double coefficient = 1;
  std::vector<std::pair<TermPtr, int>> parts; // with powers

  void multiply(const TermPtr &t, int power) {
    const std::string k = key(*t);
    for (auto &[part, p] : parts)
      if (key(*part) == k) {
        p += power;
        std::erase_if(parts, [](const auto &x) { return x.second == 0; });
        return;
      }
    parts.emplace_back(t, power);
  }

  bool isNumber() const { return parts.empty(); }

  TermPtr term() const {
    if (coefficient == 0 || parts.empty()) return number(coefficient);
    if (coefficient == 1 && parts.size() == 1 && parts[0].second == 1) return parts[0].first;
    Term t;
    t.kind = Kind::Product;
    t.value = coefficient;
    for (auto &[part, power] : parts) t.args.push_back(part), t.powers.push_back(power);
    return std::make_shared<const Term>(std::move(t));
  }
};

class Simplifier {
 public:
  explicit Simplifier(Indices &indices) : indices(indices) {}

  TermPtr run(const TermPtr &t) {
    switch (t->kind) {
    case Kind::Number:
    case Kind::Index:
    case Kind::Name:
    case Kind::Read: return t;
    case Kind::Sum: return sum(t);
    case Kind::Product: return product(t);
    case Kind::Bracket: return withArgs(*t, {run(t->args[0])});
    case Kind::Reduce: return reduce(*t);
    case Kind::Call: break;
    }
    switch (t->fn) {
    case Fn::Add:
    case Fn::Sub: return sum(t);
    case Fn::Neg:
    case Fn::Mul:
    case Fn::Div: return product(t);
    default: break;
    }
    std::vector<TermPtr> args;
    for (const TermPtr &a : t->args) args.push_back(run(a));
    const bool positive = t->fn == Fn::Lt && isZero(*args[0]) && args[1]->kind == Kind::Call && args[1]->fn == Fn::Relu;
    if (positive) args[1] = args[1]->args[0]; // 0 < relu(x) is 0 < x
    return withArgs(*t, std::move(args));
  }

 private:
  static bool isZero(const Term &t) { return t.kind == Kind::Number && t.value == 0; }

  // products

  void collect(const TermPtr &t, int power, Factors &to) {
    if (t->kind == Kind::Call && t->fn == Fn::Neg) {
      if (power % 2 != 0) to.coefficient = -to.coefficient;
      return collect(t->args[0], power, to);
    }
    if (t->kind == Kind::Call && (t->fn == Fn::Mul || t->fn == Fn::Div)) {
      collect(t->args[0], power, to);
      return collect(t->args[1], t->fn == Fn::Mul ? power : -power, to);
    }
    add(run(t), power, to);
  }

  /// A simplified factor.
  void add(const TermPtr &t, int power, Factors &to) {
    if (t->kind == Kind::Number) {
      to.coefficient *= std::pow(t->value, power);
    } else if (t->kind == Kind::Product) {
      to.coefficient *= std::pow(t->value, power);
      for (std::size_t i = 0; i < t->args.size(); ++i) to.multiply(t->args[i], power * t->powers[i]);
    } else if (t->kind == Kind::Bracket) {
      to.multiply(t, 1);
      for (auto &[part, p] : to.parts)
        if (part->kind == Kind::Bracket) p = 1; // [c]^2 is [c]
    } else if (t->kind == Kind::Reduce && t->mean) {
      Term plain = *t;
      plain.mean = false;
      to.multiply(std::make_shared<const Term>(std::move(plain)), power);
      to.multiply(named("N"), -power);
    } else {
      to.multiply(t, power);
    }
  }

  Factors factorsOf(const TermPtr &t) {
    Factors f;
    if (t->kind == Kind::Product)
      for (std::size_t i = 0; i < t->args.size(); ++i) collect(t->args[i], t->powers[i], f);
    else
      collect(t, 1, f);
    if (t->kind == Kind::Product) f.coefficient *= t->value;
    return f;
  }

  TermPtr product(const TermPtr &t) {
    Factors f = factorsOf(t);
    makeMean(f);
    return f.term();
  }

  /// sum(n) ... / N is mean(n) ...
  void makeMean(Factors &f) {
    for (auto &[n, power] : f.parts) {
      if (n->kind != Kind::Name || n->name != "N" || power >= 0) continue;
      for (auto &[r, p] : f.parts) {
        if (r->kind != Kind::Reduce || r->op != graph::Combine::Sum || r->mean || p != 1 || !overSamples(*r)) continue;
        Term mean = *r;
        mean.mean = true;
        r = std::make_shared<const Term>(std::move(mean));
        ++power;
        std::erase_if(f.parts, [](const auto &x) { return x.second == 0; });
        return;
      }
    }
  }

  bool overSamples(const Term &r) const {
    return std::any_of(r.reduced.begin(), r.reduced.end(),
                       [&](int v) { return indices[static_cast<std::size_t>(v)].extent.batch; });
  }

  // sums

  struct Addends {
    std::vector<Factors> list;

    void add(Factors f, double sign) {
      f.coefficient *= sign;
      if (f.coefficient == 0) return;
      Factors bare = f;
      bare.coefficient = 1;
      const std::string k = key(*bare.term());
      for (Factors &other : list) {
        Factors otherBare = other;
        otherBare.coefficient = 1;
        if (key(*otherBare.term()) != k) continue;
        other.coefficient += f.coefficient;
        std::erase_if(list, [](const Factors &x) { return x.coefficient == 0; });
        return;
      }
      list.push_back(std::move(f));
    }
  };

  void collectSum(const TermPtr &t, double sign, Addends &to) {
    if (t->kind == Kind::Call && (t->fn == Fn::Add || t->fn == Fn::Sub)) {
      collectSum(t->args[0], sign, to);
      return collectSum(t->args[1], t->fn == Fn::Add ? sign : -sign, to);
    }
    if (t->kind == Kind::Call && t->fn == Fn::Neg) return collectSum(t->args[0], -sign, to);
    if (t->kind == Kind::Sum) {
      for (const TermPtr &a : t->args) collectSum(a, sign, to);
      return;
    }
    const TermPtr s = run(t);
    if (s->kind == Kind::Sum) return collectSum(s, sign, to);
    to.add(factorsOf(s), sign);
  }

  TermPtr sum(const TermPtr &t) {
    Addends all;
    collectSum(t, 1, all);
    if (all.list.empty()) return number(0);
    if (all.list.size() == 1) return finished(all.list[0]);
    Factors common = commonFactors(all.list);
    Term s;
    s.kind = Kind::Sum;
    for (Factors &f : all.list) {
      f.coefficient /= common.coefficient;
      for (auto &[part, power] : common.parts) f.multiply(part, -power);
    }
    // One that is added stands first.
    std::stable_partition(all.list.begin(), all.list.end(), [](const Factors &f) { return f.coefficient > 0; });
    for (Factors &f : all.list) s.args.push_back(finished(f));
    const TermPtr inner = std::make_shared<const Term>(std::move(s));
    if (common.isNumber() && common.coefficient == 1) return inner;
    Factors result;
    result.coefficient = common.coefficient;
    result.parts.emplace_back(inner, 1);
    for (auto &[part, power] : common.parts) result.multiply(part, power);
    return finished(result);
  }

  TermPtr finished(Factors f) {
    makeMean(f);
    return f.term();
  }

  /// What all addends have; the coefficient when its size is the same everywhere.
  static Factors commonFactors(const std::vector<Factors> &list) {
    Factors common;
    const double size = std::fabs(list[0].coefficient);
    auto sameSize = [&](const Factors &f) { return std::fabs(f.coefficient) == size; };
    common.coefficient = std::all_of(list.begin(), list.end(), sameSize) ? size : 1;
    auto negative = [](const Factors &f) { return f.coefficient < 0; };
    if (std::all_of(list.begin(), list.end(), negative)) common.coefficient = -common.coefficient;
    for (auto &[part, power] : list[0].parts) {
      const std::string k = key(*part);
      bool everywhere = true;
      for (const Factors &f : list)
        everywhere &= std::any_of(f.parts.begin(), f.parts.end(),
                                  [&, p = power](const auto &x) { return x.second == p && key(*x.first) == k; });
      if (everywhere) common.parts.emplace_back(part, power);
    }
    return common;
  }

  // reductions

  TermPtr reduce(const Term &t) {
    const TermPtr body = run(t.args[0]);
    if (t.op != graph::Combine::Sum) return withArgs(t, {body});
    Factors inside = factorsOf(body), outside;
    outside.coefficient = inside.coefficient;
    inside.coefficient = 1;
    auto moves = [&](const std::pair<TermPtr, int> &f) {
      return std::none_of(t.reduced.begin(), t.reduced.end(), [&](int v) { return usesIndex(*f.first, v); });
    };
    for (const auto &f : inside.parts)
      if (moves(f)) outside.parts.push_back(f);
    std::erase_if(inside.parts, moves);
    Term r = t;
    r.mean = false;
    if (inside.parts.size() == 1 && inside.parts[0].second == 1 && isPlainSum(*inside.parts[0].first)) {
      const Term &inner = *inside.parts[0].first; // sum(n) sum(k) is sum(n, k)
      r.reduced.insert(r.reduced.end(), inner.reduced.begin(), inner.reduced.end());
      r.guards.insert(r.guards.end(), inner.guards.begin(), inner.guards.end());
      r.args = {inner.args[0]};
    } else {
      r.args = {inside.term()};
    }
    outside.multiply(std::make_shared<const Term>(std::move(r)), 1);
    if (t.mean) outside.multiply(named("N"), -1);
    makeMean(outside);
    return outside.term();
  }

  static bool isPlainSum(const Term &t) { return t.kind == Kind::Reduce && t.op == graph::Combine::Sum && !t.mean; }

  Indices &indices;
};

} // namespace

TermPtr simplified(const TermPtr &t, Indices &indices) { return Simplifier(indices).run(t); }

} // namespace netc::explain
