// Requires: nothing; `simplify` before it lets it see more. Formulas that overflow, or cancel, where their value need not,
// are written as they should be computed: the rules of scope Both and Names, matched through the names of values. Where
// a rule wants a call and finds a read of a pointwise formula, it looks at that formula's body; what it does not look
// into stays a read. A sum of exponentials
//
//   s[n] += exp(e(n, k))                    stands in these matches for    exp(m[n]) * (1 + t[n])    where
//   m[n] max= e(n, k)                       under stop_gradient: the result does not depend on it; 0 if infinite
//   a[n] argmax= e(n, k)
//   t[n] += exp(e(n, k) - m[n]) - [k == a[n]]
//
// so that log(s[n]) becomes m[n] + log1p(t[n]), exact also where one exponential is nearly all of the sum, and
// exp(z[n, k]) / s[n] becomes exp(z[n, k] - m[n]) / (1 + t[n]). With weights,
//
//   s[n] += w(n, k) * exp(e(n, k))          stands for    exp(m[n]) * t[n]    where
//   m[n] max= e(n, k) + log(abs(w(n, k)))
//   t[n] += w(n, k) * exp(minimum(e(n, k) - m[n], 88))
//
// in which the minimum only ever holds where w is 0, and keeps 0 times infinity out; [c] * exp(e) is exp(e) where c holds, else
// exp(-inf). These formulas
// come into being when a rule matched, before their first reader. The logarithm of a sum that picks one term, [k == label[n]] *
// p[n, k] for a target of classes, is the sum that picks the term's logarithm, if that logarithm is of use. A sum whose exponents are
// differences from a maximum stays as it is. Tensors keep their numbers, and every tensor its value.
#include "compiler/graph/ranges.h"
#include "compiler/passes/match.h"
#include "compiler/passes/names.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

constexpr int maxRounds = 50; // of one body; each shrinks its measure
constexpr int firstPendingId = 1'000'000; // of tensors that a match would need; twice the sum's tensor is added
constexpr double largestExponent = 88;   // whose exponential is finite
constexpr double infinity = std::numeric_limits<double>::infinity();

bool isCall(const Body &b, int n, Fn f) {
  return b.nodes[n].kind == Node::Kind::Call && b.nodes[n].fn == f;
}
bool isConstant(const Body &b, int n, double value) {
  return b.nodes[n].kind == Node::Kind::Const && b.nodes[n].value == value;
}

class Stabilizer {
 public:
  explicit Stabilizer(Graph &graph) : names(graph) {}

  void run() {
    for (Formula &f : names.take()) {
      for (Clause &c : f.clauses)
        rewrite(c);
      names.append(std::move(f));
    }
  }

 private:
  /// Returns whether anything changed.
  bool rewrite(Clause &c) {
    for (int round = 0;; ++round) {
      if (round == maxRounds) internalError("stabilize did not reach a fixed point");
      bool changed = false;
      Body next = rebuilt(c.body, [&](Body &b, int n) {
        const int better = improved(b, n);
        changed |= better != n;
        return better;
      });
      if (!changed) return round > 0;
      c.body = std::move(next);
      settlePending(c.body);
    }
  }

  int improved(Body &b, int n) {
    if (b.nodes[n].kind != Node::Kind::Call || b.nodes[n].dtype != DType::F32) return n;
    const LookThrough meaning = [&](int read) { return meaningOf(b, read); };
    for (bool commute : {false, true}) {
      const RuleUse use{commute, {}, meaning};
      for (const ParsedRule *rule : rules[static_cast<std::size_t>(b.nodes[n].fn)])
        if (int better = apply(*rule, b, n, use); better >= 0) return better;
    }
    return isCall(b, n, Fn::Log) ? pickedLogarithm(b, n) : n;
  }

  /// For the logarithm of a sum of one term: a read of the sum of its logarithm; n where that brings nothing.
  int pickedLogarithm(Body &b, int n) {
    const Node sum = b.nodes[b.nodes[n].args[0]]; // copies: adding nodes and formulas moves them
    if (sum.kind != Node::Kind::Read) return n;
    const Formula *f = names.formulaOf(sum.id);
    if (!f || !picksOneTerm(*f) || names.isWanted(sum.id)) return n;
    auto known = logarithms.find(sum.id);
    if (known == logarithms.end()) {
      Formula logs = *f;
      Body &inner = logs.clauses[0].body;
      const std::vector<int> args = inner.nodes[inner.root].args;
      inner.root = inner.call(Fn::Select, args[0], inner.call(Fn::Log, args[1]), args[2]);
      const bool useful = rewrite(logs.clauses[0]);
      const int tensor = useful ? names.define(std::move(logs), sum.id, ".log") : -1;
      known = logarithms.insert({sum.id, tensor}).first;
    }
    return known->second < 0 ? n : b.read(known->second, DType::F32, sum.map);
  }

  /// sum(k) [k == t] * x, where t is a class and k runs over all classes.
  bool picksOneTerm(const Formula &f) const {
    if (!isPlainSum(names.graph, f) || f.clauses[0].reduction().size() != 1) return false;
    const int k = f.clauses[0].reduction()[0];
    const Body &b = f.clauses[0].body;
    if (!isCall(b, b.root, Fn::Select)) return false;
    const std::vector<int> &args = b.nodes[b.root].args;
    if (!isCall(b, args[0], Fn::Eq) || !isConstant(b, args[2], 0)) return false;
    const auto isPick = [&](const Node &index, const Node &label) {
      int v = -1;
      return index.kind == Node::Kind::Index && index.affine.isVar(&v) && v == k && label.kind == Node::Kind::Read &&
             names.graph.tensors[label.id].classes == f.clauses[0].domain[k].extent.size &&
             std::none_of(label.map.begin(), label.map.end(), [&](const Affine &a) { return a.uses(k); });
    };
    const Node &x = b.nodes[b.nodes[args[0]].args[0]], &y = b.nodes[b.nodes[args[0]].args[1]];
    return isPick(x, y) || isPick(y, x);
  }

  /// What a name stands for: also the product that a sum of exponentials is.
  int meaningOf(Body &b, int read) {
    if (int meaning = names.meaning(b, read); meaning != read) return meaning;
    const Node node = b.nodes[read]; // a copy: adding nodes moves the others
    const std::optional<Exponential> &term = termOf(node.id);
    if (!term) return read;
    const int shift = b.read(firstPendingId + 2 * node.id, DType::F32, node.map);
    const int shifted = b.read(firstPendingId + 2 * node.id + 1, DType::F32, node.map);
    return b.call(Fn::Mul, b.call(Fn::Exp, shift),
                  term->isPlain() ? b.call(Fn::Add, b.constant(1), shifted) : shifted);
  }

  /// weight * exp(exponent), both over one domain.
  struct Exponential {
    Body weight, exponent;
    bool isPlain() const { return isConstant(weight, weight.root, 1); }
  };

  /// For a sum of exponentials over all points, perhaps weighted: what is summed up.
  const std::optional<Exponential> &termOf(int tensor) {
    auto known = terms.find(tensor);
    if (known == terms.end()) known = terms.insert({tensor, newTermOf(tensor)}).first;
    return known->second;
  }

  std::optional<Exponential> newTermOf(int tensor) const {
    const Formula *f = names.formulaOf(tensor);
    if (!f || !isPlainSum(names.graph, *f) || names.isWanted(tensor) || f->clauses[0].reduction().empty() || picksOneTerm(*f))
      return std::nullopt;
    Body b = f->clauses[0].body;
    Products known;
    const std::optional<Product> p = productOf(b, b.root, known);
    if (!p || isShifted(b, p->exponent)) return std::nullopt;
    Exponential term{b, b};
    term.weight.root = p->weight;
    term.exponent.root = p->exponent;
    term.weight.compact();
    term.exponent.compact();
    return term;
  }

  /// A node as weight * exp(exponent).
  struct Product {
    int weight, exponent;
  };

  using Products = std::map<int, std::optional<Product>>; // of the nodes seen so far

  std::optional<Product> productOf(Body &b, int n, Products &known) const {
    n = names.wholeMeaning(b, n);
    if (auto found = known.find(n); found != known.end()) return found->second;
    const std::optional<Product> p = newProductOf(b, n, known);
    return known[n] = p;
  }

  std::optional<Product> newProductOf(Body &b, int n, Products &known) const {
    const Node node = b.nodes[n]; // a copy: adding nodes moves the others
    if (node.kind != Node::Kind::Call) return std::nullopt;
    const std::vector<int> &args = node.args;
    switch (node.fn) {
    case Fn::Exp:
      return Product{b.constant(1), names.wholeMeaning(b, args[0])};
    case Fn::Neg:
    case Fn::Div: {
      std::optional<Product> p = productOf(b, args[0], known);
      if (p) p->weight = node.fn == Fn::Neg ? b.call(Fn::Neg, p->weight) : b.call(Fn::Div, p->weight, args[1]);
      return p;
    }
    case Fn::Mul: {
      const std::optional<Product> x = productOf(b, args[0], known), y = productOf(b, args[1], known);
      if (x && y) return Product{times(b, x->weight, y->weight), b.call(Fn::Add, x->exponent, y->exponent)};
      if (x) return Product{times(b, x->weight, args[1]), x->exponent};
      if (y) return Product{times(b, args[0], y->weight), y->exponent};
      return std::nullopt;
    }
    case Fn::Select: { // a condition joins the exponent: exp(-inf) is 0
      const bool otherwise = isConstant(b, args[1], 0);
      if (!otherwise && !isConstant(b, args[2], 0)) return std::nullopt;
      std::optional<Product> p = productOf(b, args[otherwise ? 2 : 1], known);
      if (p) p->exponent = otherwise ? b.call(Fn::Select, args[0], b.constant(-infinity), p->exponent)
                                     : b.call(Fn::Select, args[0], p->exponent, b.constant(-infinity));
      return p;
    }
    default:
      return std::nullopt;
    }
  }

  static int times(Body &b, int x, int y) {
    if (isConstant(b, x, 1)) return y;
    return isConstant(b, y, 1) ? x : b.call(Fn::Mul, x, y);
  }

  /// A difference from a maximum, perhaps bounded: the exponent of a sum that is as it should be.
  bool isShifted(const Body &b, int exponent) const {
    const std::vector<int> &args = b.nodes[exponent].args;
    if (isCall(b, exponent, Fn::Minimum)) return isShifted(b, args[0]);
    return isCall(b, exponent, Fn::Sub) && isMaximum(b, args[1]);
  }

  /// A maximum, or a copy of one, such as stop_gradient makes.
  bool isMaximum(const Body &b, int n) const {
    if (b.nodes[n].kind != Node::Kind::Read) return false;
    const Formula *f = names.formulaOf(b.nodes[n].id);
    if (!f) return false;
    if (f->op != Combine::Assign) return f->op == Combine::Max;
    if (f->clauses.size() != 1) return false;
    const Body &inner = f->clauses[0].body;
    return isMaximum(inner, isCall(inner, inner.root, Fn::Select) ? inner.nodes[inner.root].args[1] : inner.root);
  }

  /// Tensors that a match asked for are made.
  void settlePending(Body &b) {
    for (Node &n : b.nodes) {
      if (n.kind != Node::Kind::Read || n.id < firstPendingId) continue;
      const Shift &shift = shiftOf((n.id - firstPendingId) / 2);
      n.id = (n.id - firstPendingId) % 2 == 0 ? shift.shift : shift.shifted;
    }
  }

  /// The tensors m and t of the header.
  struct Shift {
    int shift, shifted;
  };

  const Shift &shiftOf(int sum) {
    if (auto known = shifts.find(sum); known != shifts.end()) return known->second;
    const Formula f = *names.formulaOf(sum); // a copy: appending moves it
    const Exponential term = *termOf(sum);
    Formula largest = f;
    largest.op = Combine::Max;
    Body &b = largest.clauses[0].body = term.exponent;
    if (!term.isPlain()) {
      const int size = b.call(Fn::Abs, copied(b, term.weight));
      b.root = b.call(Fn::Add, b.root, b.call(Fn::Log, size));
    }
    const int maximum = names.define(largest, sum, ".max");
    const int shift = names.define(stopped(f, maximum), sum, ".shift");
    Formula rest = term.isPlain() ? lessLargest(f, std::move(largest), shift) : weighted(f, term, shift);
    const int shifted = names.define(std::move(rest), sum, ".shifted");
    return shifts.insert({sum, {shift, shifted}}).first->second;
  }

  /// The sum of exp(e - shift), less 1 at the largest e.
  Formula lessLargest(const Formula &sum, Formula largest, int shift) {
    const Clause &c = sum.clauses[0];
    Formula rest = sum;
    Body &b = rest.clauses[0].body = largest.clauses[0].body;
    largest.op = Combine::ArgMax;
    const int winner = names.define(std::move(largest), sum.target, ".argmax", DType::I32);
    const int wins = b.call(Fn::Eq, b.read(winner, DType::I32, c.out), b.index(graph::ordinal(c)));
    const int term = b.call(Fn::Exp, b.call(Fn::Sub, b.root, b.read(shift, DType::F32, c.out)));
    b.root = b.call(Fn::Sub, term, b.call(Fn::Select, wins, b.constant(1), b.constant(0)));
    return rest;
  }

  /// The sum of w * exp(e - shift).
  static Formula weighted(const Formula &sum, const Exponential &term, int shift) {
    Formula rest = sum;
    Body &b = rest.clauses[0].body = term.exponent;
    const int distance = b.call(Fn::Sub, b.root, b.read(shift, DType::F32, sum.clauses[0].out));
    const int bounded = b.call(Fn::Minimum, distance, b.constant(largestExponent));
    b.root = b.call(Fn::Mul, copied(b, term.weight), b.call(Fn::Exp, bounded));
    return rest;
  }

  static int copied(Body &to, const Body &from) {
    return to.copy(from, from.root);
  }

  /// A copy of a tensor that no gradient passes, its indices named as in f; 0 where a shift by infinity would give
  /// NaN.
  static Formula stopped(const Formula &f, int source) {
    Formula copy;
    copy.location = f.location;
    copy.origin = "stop_gradient";
    copy.clauses.push_back(resultClause(f.clauses[0]));
    Body &b = copy.clauses[0].body;
    const int m = b.read(source, DType::F32, copy.clauses[0].out);
    const int finite = b.call(Fn::Lt, b.call(Fn::Abs, m), b.constant(infinity));
    b.root = b.call(Fn::Select, finite, m, b.constant(0));
    return copy;
  }

  Names names;
  const RulesByRoot rules = rulesExcept(Scope::Body);
  std::map<int, std::optional<Exponential>> terms; // by the sum's tensor
  std::map<int, Shift> shifts;   // likewise
  std::map<int, int> logarithms; // likewise, -1 where they bring nothing
};

} // namespace

void stabilize(Graph &g) {
  Stabilizer(g).run();
}

} // namespace netc::passes
