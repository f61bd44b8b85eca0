// Requires: `simplify`, `mergePointwise`. What a sum does not vary leaves it, so that sums which differ in such factors only
// become one sweep over the data (`cse` then finds the equal ones):
//
//   s[c] += select(h[n, c] > 0, w[c] * g[n, c], 0)     becomes    t[c] += select(h[n, c] > 0, g[n, c], 0);  s[c] = w[c] * t[c]
//
// And sums whose value follows from sums already there, or from none, are not computed:
//
//   sum(k) w[c]                  is w[c] times the number of points,
//   sum(k) (x - m), m mean(k) x  is 0,
//   sum(k) y, where y is a factor times the body of an earlier sum, plus terms whose sum is 0, is a formula. Several such
//            terms are left alone, because they could cancel where the sum of their difference does not, unless they
//            cancel altogether: what a layer adds before a normalisation has no gradient.
//
// This is what makes the backward pass of a normalisation two sums and one elementwise formula.
#include "compiler/passes/names.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/polynomial.h"
#include "compiler/passes/rewrite.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

constexpr std::size_t mostTerms = 16;

/// A body as (product of `above`) / (product of `below`) * core, all nodes of it; the factors do not use the reduction
/// indices. core -1: nothing else, 1.
struct Factored {
  double constant = 1;
  std::vector<int> above, below;
  int core = -1;

  bool operator==(const Factored &) const = default;
  bool hasFactors() const { return constant != 1 || !above.empty() || !below.empty(); }
};

class Factoring {
 public:
  Factoring(Body &body, const Clause &clause) : b(body) {
    std::vector<char> reduced(clause.domain.size(), 0);
    for (int p : clause.reduction())
      reduced[p] = 1;
    varies = [reduced](const Affine &a) {
      return std::any_of(a.terms().begin(), a.terms().end(), [&](const auto &t) { return reduced[t.first]; });
    };
  }

  Factored factor(int n) {
    const Node node = b.nodes[n]; // a copy: adding nodes moves the others
    if (node.kind == Node::Kind::Const) return {node.value, {}, {}, -1};
    if (isInvariant(n)) return {1, {n}, {}, -1};
    if (node.kind != Node::Kind::Call) return {1, {}, {}, n};
    switch (node.fn) {
    case Fn::Neg: {
      Factored f = factor(node.args[0]);
      f.constant = -f.constant;
      return f;
    }
    case Fn::Mul:
      return product(factor(node.args[0]), factor(node.args[1]));
    case Fn::Div:
      return quotient(factor(node.args[0]), node.args[1]);
    case Fn::Select:
      return selection(node);
    case Fn::Add:
    case Fn::Sub:
      return sum(node, n);
    default:
      return {1, {}, {}, n};
    }
  }

 private:
  bool isInvariant(int n) const {
    const Node &node = b.nodes[n];
    if (varies(node.affine) || std::any_of(node.map.begin(), node.map.end(), varies)) return false;
    return std::all_of(node.args.begin(), node.args.end(), [this](int a) { return isInvariant(a); });
  }

  Factored product(Factored x, const Factored &y) {
    x.constant *= y.constant;
    x.above.insert(x.above.end(), y.above.begin(), y.above.end());
    x.below.insert(x.below.end(), y.below.begin(), y.below.end());
    x.core = x.core < 0 ? y.core : y.core < 0 ? x.core : b.call(Fn::Mul, x.core, y.core);
    return x;
  }

  Factored quotient(Factored x, int divisor) {
    if (b.nodes[divisor].kind == Node::Kind::Const && b.nodes[divisor].value != 0)
      x.constant /= b.nodes[divisor].value;
    else if (isInvariant(divisor))
      x.below.push_back(divisor);
    else
      x.core = b.call(Fn::Div, x.core < 0 ? b.constant(1) : x.core, divisor);
    return x;
  }

  /// A choice between something and 0 is that choice of its core.
  Factored selection(const Node &node) {
    for (int k : {1, 2}) {
      const Node other = b.nodes[node.args[3 - k]];
      if (other.kind != Node::Kind::Const || other.value != 0) continue;
      Factored f = factor(node.args[k]);
      std::vector<int> args = node.args;
      args[k] = f.core < 0 ? b.constant(1) : f.core;
      f.core = b.call(node.fn, args);
      return f;
    }
    return {1, {}, {}, b.call(node.fn, node.args)};
  }

  /// Common factors of both terms.
  Factored sum(const Node &node, int n) {
    const Factored x = factor(node.args[0]), y = factor(node.args[1]);
    if (node.args[0] == node.args[1] && node.fn == Fn::Add) return product({2, {}, {}, -1}, x);
    if (x.constant != y.constant || x.above != y.above || x.below != y.below || !x.hasFactors() || x.core < 0 ||
        y.core < 0)
      return {1, {}, {}, n};
    Factored f = x;
    f.core = b.call(node.fn, x.core, y.core);
    return f;
  }

  Body &b;
  std::function<bool(const Affine &)> varies;
};

class SumFactoring {
 public:
  explicit SumFactoring(Graph &graph) : names(graph) {}

  void run() {
    for (Formula &f : names.take()) {
      if (isPlainSum(names.graph, f) && !f.clauses[0].reduction().empty() && isReal(f.clauses[0].body))
        visit(std::move(f));
      else
        names.append(std::move(f));
    }
  }

 private:
  static bool isReal(const Body &b) { return b.nodes[b.root].dtype == DType::F32; }

  /// A sum computed, in one order of its indices: those of the result first.
  struct Known {
    Clause clause;
    int tensor;
  };

  void visit(Formula f) {
    if (auto value = withoutSweep(f)) return names.append(std::move(*value));
    Clause &c = f.clauses[0];
    const Factored x = Factoring(c.body, c).factor(c.body.root);
    if (!x.hasFactors() || x.core < 0) return remember(std::move(f));
    Formula rest = f;
    rest.clauses[0].body.root = x.core;
    rest.clauses[0].body.compact();
    const int tensor = known(rest.clauses[0]);
    const int sum = tensor >= 0 ? tensor : names.define(rest, f.target, ".sum");
    if (tensor < 0) all.push_back({canonical(rest.clauses[0]), sum});
    Formula value = pointwise(f);
    Body &b = value.clauses[0].body;
    b.root = scaled(value.clauses[0], c, x, b.read(sum, DType::F32, value.clauses[0].out));
    names.append(std::move(value));
  }

  void remember(Formula f) {
    all.push_back({canonical(f.clauses[0]), f.target});
    names.append(std::move(f));
  }

  /// An assignment to f's target, without a body yet.
  static Formula pointwise(const Formula &f) {
    Formula value = f;
    value.op = graph::Combine::Assign;
    value.clauses = {resultClause(f.clauses[0])};
    return value;
  }

  /// n times the factors, which are nodes of c's body, in `to`, a clause over c's result.
  static int scaled(Clause &to, const Clause &c, const Factored &x, int n) {
    Body &b = to.body;
    const auto here = [&](int p) {
      for (std::size_t d = 0; d < c.out.size(); ++d)
        if (c.out[d].uses(p)) return Affine::var(static_cast<int>(d));
      return Affine();
    };
    if (std::fabs(x.constant) != 1) n = b.call(Fn::Mul, b.constant(std::fabs(x.constant)), n);
    for (int k : x.above)
      n = b.call(Fn::Mul, n, b.copy(c.body, k, here));
    for (int k : x.below)
      n = b.call(Fn::Div, n, b.copy(c.body, k, here));
    return x.constant < 0 ? b.call(Fn::Neg, n) : n;
  }

  static Clause canonical(const Clause &c) {
    std::vector<int> position(c.domain.size(), -1); // old -> new
    std::vector<graph::Index> domain;
    const auto place = [&](int p) {
      position[p] = static_cast<int>(domain.size());
      domain.push_back(c.domain[p]);
    };
    for (const Affine &a : c.out)
      if (int v; a.isVar(&v)) place(v);
    for (int p : c.reduction())
      place(p);
    return overDomain(c, std::move(domain), [&](int p) { return Affine::var(position[p]); });
  }

  int known(const Clause &c) const {
    const Clause wanted = canonical(c);
    for (const Known &k : all)
      if (sameDomain(k.clause, wanted) && k.clause.out == wanted.out && k.clause.body == wanted.body) return k.tensor;
    return -1;
  }

  /// The sum as a formula over its result, if that follows from what is known.
  std::optional<Formula> withoutSweep(const Formula &f) const {
    Clause c = f.clauses[0];
    Body &b = c.body;
    std::vector<std::pair<int, bool>> terms; // node, subtracted
    if (!collect(b, names.meaning(b, b.root), false, terms)) return std::nullopt;
    Formula value = pointwise(f);
    Clause &to = value.clauses[0];
    to.body.root = to.body.constant(0);
    int parts = 0;
    for (auto [term, subtracted] : terms) {
      const int part = sumOf(to, c, term);
      if (part == zero) continue;
      if (part == unknown) return std::nullopt;
      to.body.root = ++parts > 1  ? to.body.call(subtracted ? Fn::Sub : Fn::Add, to.body.root, part)
                     : subtracted ? to.body.call(Fn::Neg, part)
                                  : part;
    }
    if (parts > 1) {
      const std::optional<Polynomial> total = expand(names, to.body, to.body.root);
      if (!total || !isZero(names.graph, *total)) return std::nullopt;
      to.body.root = to.body.constant(0);
    }
    to.body.compact();
    return value;
  }

  static constexpr int unknown = -1, zero = -2;

  /// The sum of one term over c's reduction, as a node of `to`.
  int sumOf(Clause &to, Clause &c, int term) const {
    const Factored x = Factoring(c.body, c).factor(term);
    if (x.core < 0) return scaled(to, c, x, points(to.body, c));
    if (isDistanceFromMean(c, x.core)) return zero;
    Clause core = c;
    core.body.root = x.core;
    core.body.compact();
    const int tensor = known(core);
    return tensor < 0 ? unknown : scaled(to, c, x, to.body.read(tensor, DType::F32, to.out));
  }

  static bool collect(const Body &b, int n, bool subtracted, std::vector<std::pair<int, bool>> &terms) {
    const Node &node = b.nodes[n];
    if (node.kind == Node::Kind::Call && (node.fn == Fn::Add || node.fn == Fn::Sub) && node.args[0] != node.args[1])
      return collect(b, node.args[0], subtracted, terms) &&
             collect(b, node.args[1], subtracted != (node.fn == Fn::Sub), terms);
    terms.push_back({n, subtracted});
    return terms.size() <= mostTerms;
  }

  /// The number of points as a node: a constant, or the count times one.
  int points(Body &b, const Clause &c) const {
    double fixed = 1;
    bool batch = false;
    for (int p : c.reduction())
      c.domain[p].extent.batch ? void(batch = true) : void(fixed *= static_cast<double>(c.domain[p].extent.size));
    const int n = b.constant(fixed);
    return batch ? b.call(Fn::Mul, b.scalar(names.graph.addScalar("samples", {{ScalarOp::Count}})), n) : n;
  }

  /// x - m, where m is the mean of x over the same points.
  bool isDistanceFromMean(Clause &c, int n) const {
    Body &b = c.body;
    const Node node = b.nodes[n];
    if (node.kind != Node::Kind::Call || node.fn != Fn::Sub) return false;
    const std::optional<Polynomial> p = expand(names, b, node.args[1]);
    if (!p || p->size() != 1 || p->front().above.size() != 1 || !p->front().below.empty()) return false;
    const Node read = b.nodes[p->front().above[0]];
    if (read.kind != Node::Kind::Read) return false;
    const Formula *sum = names.formulaOf(read.id);
    if (!sum || !isPlainSum(names.graph, *sum) || read.map != c.out) return false;
    Clause x = c;
    x.body.root = node.args[0];
    x.body.compact();
    const Clause mine = canonical(x), other = canonical(sum->clauses[0]);
    if (!sameDomain(mine, other) || mine.out != other.out || !(mine.body == other.body)) return false;
    return equalForEveryCount(
        names.graph, [](double) { return 1.; },
        [&](double count) { return coefficient(names.graph, p->front(), count) * pointsPerElement(c, count); });
  }

  Names names;
  std::vector<Known> all;
};

} // namespace

void factorSums(Graph &g) {
  SumFactoring(g).run();
}

} // namespace netc::passes
