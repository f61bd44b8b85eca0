#include "compiler/passes/polynomial.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace netc::passes {

using graph::Body;
using graph::Node;

namespace {

constexpr std::size_t mostTerms = 32;
constexpr double rounding = 1e-12; // of products of constants

void append(std::vector<int> &to, const std::vector<int> &more) {
  to.insert(to.end(), more.begin(), more.end());
  std::sort(to.begin(), to.end());
}

Monomial product(Monomial x, const Monomial &y) {
  x.constant *= y.constant;
  append(x.scalars, y.scalars);
  append(x.divisors, y.divisors);
  append(x.above, y.above);
  append(x.below, y.below);
  return x;
}

Monomial inverse(const Monomial &x) {
  return {1 / x.constant, x.divisors, x.scalars, x.below, x.above};
}

Polynomial single(int node) {
  Monomial m;
  m.above = {node};
  return {m};
}

class Expansion {
 public:
  Expansion(const Names &names, Body &body) : names(names), b(body) {}

  std::optional<Polynomial> expand(int n) {
    const Node node = b.nodes[n]; // a copy: opening names moves the others
    Monomial one;
    switch (node.kind) {
    case Node::Kind::Const:
      one.constant = node.value;
      return Polynomial{one};
    case Node::Kind::Scalar:
      one.scalars = {node.id};
      return Polynomial{one};
    case Node::Kind::Index:
      return single(n);
    case Node::Kind::Read:
      if (const int meaning = names.meaning(b, n); meaning != n) return expand(meaning);
      return single(n);
    case Node::Kind::Call:
      return call(node, n);
    }
    return std::nullopt;
  }

 private:
  std::optional<Polynomial> call(const Node &node, int n) {
    switch (node.fn) {
    case Fn::Neg:
      return scaled(expand(node.args[0]), -1);
    case Fn::Add:
      return sum(expand(node.args[0]), expand(node.args[1]));
    case Fn::Sub:
      return sum(expand(node.args[0]), scaled(expand(node.args[1]), -1));
    case Fn::Mul:
      return products(expand(node.args[0]), expand(node.args[1]));
    case Fn::Div: {
      std::optional<Polynomial> below = expand(node.args[1]);
      if (!below || below->size() != 1) below = single(node.args[1]);
      if (below->front().constant == 0) return std::nullopt;
      return products(expand(node.args[0]), Polynomial{inverse(below->front())});
    }
    default:
      return single(n);
    }
  }

  static std::optional<Polynomial> scaled(std::optional<Polynomial> x, double by) {
    if (x)
      for (Monomial &m : *x)
        m.constant *= by;
    return x;
  }

  static std::optional<Polynomial> sum(std::optional<Polynomial> x, const std::optional<Polynomial> &y) {
    if (!x || !y || x->size() + y->size() > mostTerms) return std::nullopt;
    x->insert(x->end(), y->begin(), y->end());
    return x;
  }

  static std::optional<Polynomial> products(const std::optional<Polynomial> &x, const std::optional<Polynomial> &y) {
    if (!x || !y || x->size() * y->size() > mostTerms) return std::nullopt;
    Polynomial all;
    for (const Monomial &m : *x)
      for (const Monomial &n : *y)
        all.push_back(product(m, n));
    return all;
  }

  const Names &names;
  Body &b;
};

/// Not a constant either: setLearningRate may replace one.
bool dependsOnCountAlone(const RuntimeScalar &s) {
  const auto uses = [&](ScalarOp::Code code) {
    return std::any_of(s.program.begin(), s.program.end(), [&](const ScalarOp &op) { return op.code == code; });
  };
  return uses(ScalarOp::Count) && !uses(ScalarOp::Step) && !uses(ScalarOp::Epoch) && !uses(ScalarOp::Steps) &&
         s.name != "lr";
}

} // namespace

std::optional<Polynomial> expand(const Names &names, Body &b, int node) {
  return Expansion(names, b).expand(node);
}

double coefficient(const graph::Graph &g, const Monomial &m, double count) {
  double value = m.constant;
  const auto of = [&](int scalar) {
    const RuntimeScalar &s = g.scalars[scalar];
    return dependsOnCountAlone(s) ? evaluate(s.program, {count, 0, 0, 0}) : std::numeric_limits<double>::quiet_NaN();
  };
  for (int s : m.scalars)
    value *= of(s);
  for (int s : m.divisors)
    value /= of(s);
  return value;
}

bool isZero(const graph::Graph &g, const Polynomial &p) {
  std::map<std::pair<std::vector<int>, std::vector<int>>, Polynomial> groups; // of equal factors
  for (const Monomial &m : p)
    if (m.constant != 0) groups[{m.above, m.below}].push_back(m);
  for (std::int64_t count = 1; count <= g.batch; ++count)
    for (const auto &[factors, terms] : groups) {
      double sum = 0, size = 0;
      for (const Monomial &m : terms) {
        const double c = coefficient(g, m, static_cast<double>(count));
        sum += c, size += std::fabs(c);
      }
      if (!(std::fabs(sum) <= rounding * size)) return false;
    }
  return true;
}

bool equalForEveryCount(const graph::Graph &g, const std::function<double(double)> &a,
                        const std::function<double(double)> &b) {
  for (std::int64_t count = 1; count <= g.batch; ++count) {
    const double x = a(static_cast<double>(count)), y = b(static_cast<double>(count));
    if (!(std::fabs(x - y) <= rounding * std::fabs(x))) return false;
  }
  return true;
}

} // namespace netc::passes
