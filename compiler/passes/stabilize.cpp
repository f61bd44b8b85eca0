// Requires: nothing; `simplify` before it lets it see more. Formulas that overflow, or cancel, where their value need not,
// are written as they should be computed: the rules of scope Both and Names, matched through the names of values. Where
// a rule wants a call and finds a read of a pointwise formula, it looks at that formula's body; what it does not look
// into stays a read. A sum of exponentials
//
//   s[n] += exp(e(n, k))                    stands in these matches for    exp(m[n]) * t[n]    where
//   m[n] max= e(n, k)                       under stop_gradient: the result does not depend on it; 0 if infinite
//   t[n] += exp(e(n, k) - m[n])
//
// so that log(s[n]) becomes m[n] + log(t[n]) and exp(z[n, k]) / s[n] becomes exp(z[n, k] - m[n]) / t[n]. These formulas
// come into being when a rule matched, before their first reader. The logarithm of a sum that picks one term, [k == label[n]] *
// p[n, k] for a target of classes, is the sum that picks the term's logarithm, if that logarithm is of use. A sum whose exponents are differences from a maximum
// stays as it is. Tensors keep their numbers, and every tensor its value.
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

bool isCall(const Body &b, int n, Fn f) {
  return b.nodes[n].kind == Node::Kind::Call && b.nodes[n].fn == f;
}


class Stabilizer {
 public:
  explicit Stabilizer(Graph &graph) : names(graph) {
    for (const ParsedRule &r : parsedRules())
      if (r.text->scope != Scope::Body) rules.push_back(&r);
  }

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
      for (const ParsedRule *rule : rules)
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
    const Node &otherwise = b.nodes[args[2]];
    if (!isCall(b, args[0], Fn::Eq) || otherwise.kind != Node::Kind::Const || otherwise.value != 0) return false;
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
    const Formula *f = names.formulaOf(node.id);
    if (!f || !exponentOf(*f)) return read;
    const int maximum = b.read(firstPendingId + 2 * node.id, DType::F32, node.map);
    const int shifted = b.read(firstPendingId + 2 * node.id + 1, DType::F32, node.map);
    return b.call(Fn::Mul, b.call(Fn::Exp, maximum), shifted);
  }

  /// For a sum of exponentials over all points: the exponent, as a body over the sum's domain.
  std::optional<Body> exponentOf(const Formula &f) const {
    if (!isPlainSum(names.graph, f) || names.isWanted(f.target) || f.clauses[0].reduction().empty()) return std::nullopt;
    Body b = f.clauses[0].body;
    if (!isCall(b, b.root = names.wholeMeaning(b, b.root), Fn::Exp)) return std::nullopt;
    b.root = names.wholeMeaning(b, b.nodes[b.root].args[0]);
    if (isCall(b, b.root, Fn::Sub) && isMaximum(b, b.nodes[b.root].args[1])) return std::nullopt;
    b.compact();
    return b;
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
    const Body exponent = *exponentOf(f);
    Formula largest = f;
    largest.op = Combine::Max;
    largest.clauses[0].body = exponent;
    const int maximum = names.define(std::move(largest), sum, ".max");
    const int shift = names.define(stopped(f, maximum), sum, ".shift");
    Formula rest = f;
    Body &b = rest.clauses[0].body = exponent;
    b.root = b.call(Fn::Exp, b.call(Fn::Sub, b.root, b.read(shift, DType::F32, f.clauses[0].out)));
    const int shifted = names.define(std::move(rest), sum, ".shifted");
    return shifts.insert({sum, {shift, shifted}}).first->second;
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
    const int finite = b.call(Fn::Lt, b.call(Fn::Abs, m), b.constant(std::numeric_limits<double>::infinity()));
    b.root = b.call(Fn::Select, finite, m, b.constant(0));
    return copy;
  }

  Names names;
  std::vector<const ParsedRule *> rules;
  std::map<int, Shift> shifts;   // by the sum's tensor
  std::map<int, int> logarithms; // likewise, -1 where they bring nothing
};

} // namespace

void stabilize(Graph &g) {
  Stabilizer(g).run();
}

} // namespace netc::passes
