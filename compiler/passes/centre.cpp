// Requires: `simplify`. A variance, or covariance, written as a mean of products less the product of means, cancels where
// the means are large:
//
//   A * sum(k) x*y  -  B * (sum(k) x) * (sum(k) y)       becomes       A * sum(k) (x - mean(x)) * (y - mean(y))
//
// where A and B are constants or depend on the count alone, A is B times the number of points, and mean(x) is the sum over
// the number of points. The sums may be named, scaled and spread over pointwise formulas; x and y may be one.
#include "compiler/passes/match.h"
#include "compiler/passes/names.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/polynomial.h"
#include "compiler/passes/rewrite.h"

#include <algorithm>
#include <optional>

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

class Centring {
 public:
  explicit Centring(Graph &graph) : names(graph) {}

  void run() {
    for (Formula &f : names.take()) {
      for (Clause &c : f.clauses)
        c.body = rebuilt(std::move(c.body), [&](Body &b, int n) { return centred(b, n); });
      names.append(std::move(f));
    }
  }

 private:

  int centred(Body &b, int n) {
    const Node node = b.nodes[n]; // a copy: adding nodes moves the others
    if (node.kind != Node::Kind::Call || node.fn != Fn::Sub) return n;
    const int left = names.wholeMeaning(b, node.args[0]);
    if (int done = difference(b, left, node.args[1]); done >= 0) return done;
    const Node first = b.nodes[left];
    if (first.kind != Node::Kind::Call || first.fn != Fn::Add) return n;
    for (int k : {0, 1}) // mean(x*x) + eps - mean(x)^2
      if (int done = difference(b, names.wholeMeaning(b, first.args[k]), node.args[1]); done >= 0)
        return b.call(Fn::Add, done, first.args[1 - k]);
    return n;
  }

  /// left - right, centred; -1 where it is something else.
  int difference(Body &b, int left, int right) {
    const std::optional<Monomial> products = opened(b, left, 1), means = opened(b, right, 2);
    if (!products || !means) return -1;
    const Node q = b.nodes[products->above[0]], s = b.nodes[means->above[0]], t = b.nodes[means->above[1]];
    if (q.map != s.map || q.map != t.map) return -1;
    const Formula *sum = names.formulaOf(q.id);
    const auto points = [&](double count) { return pointsPerElement(sum->clauses[0], count); };
    const auto scale = [&](const Monomial &p) {
      return [&, this](double count) { return coefficient(names.graph, p, count); };
    };
    if (!equalForEveryCount(names.graph, scale(*products),
                            [&](double count) { return scale(*means)(count) * points(count); }))
      return -1;
    const int v = centredSum(q.id, s.id, t.id);
    if (v < 0) return -1;
    int n = b.read(v, DType::F32, q.map);
    if (products->constant != 1) n = b.call(Fn::Mul, b.constant(products->constant), n);
    for (int k : products->scalars)
      n = b.call(Fn::Mul, b.scalar(k), n);
    for (int k : products->divisors)
      n = b.call(Fn::Div, n, b.scalar(k));
    return n;
  }

  /// Constants and scalars times so many reads of plain sums.
  std::optional<Monomial> opened(Body &b, int node, std::size_t reads) const {
    const std::optional<Polynomial> p = expand(names, b, node);
    if (!p || p->size() != 1 || p->front().above.size() != reads || !p->front().below.empty()) return std::nullopt;
    for (int f : p->front().above) {
      const Formula *sum = b.nodes[f].kind == Node::Kind::Read ? names.formulaOf(b.nodes[f].id) : nullptr;
      if (!sum || !isPlainSum(names.graph, *sum) || names.isWanted(sum->target)) return std::nullopt;
    }
    return p->front();
  }

  /// The tensor of sum(k) (x - mean(x)) * (y - mean(y)), where `product` sums x*y, and s and t sum x and y; -1 where
  /// they do not.
  int centredSum(int product, int s, int t) {
    Formula f = *names.formulaOf(product); // copies: appending moves them
    const Formula fs = *names.formulaOf(s), ft = *names.formulaOf(t);
    Clause &c = f.clauses[0];
    const int x = summand(c, fs), y = summand(c, ft);
    const Node root = c.body.nodes[names.wholeMeaning(c.body, c.body.root)];
    if (x < 0 || y < 0 || root.kind != Node::Kind::Call || root.fn != Fn::Mul) return -1;
    int left = root.args[0], right = root.args[1]; // as they are written, so that a name stays a name
    const auto means = [&](int l, int r) { return names.wholeMeaning(c.body, l) == x && names.wholeMeaning(c.body, r) == y; };
    if (!means(left, right)) std::swap(left, right);
    if (!means(left, right)) return -1;
    if (auto known = made.find({s, t}); known != made.end()) return known->second;
    const std::vector<Affine> out = c.out;
    const int dx = c.body.call(Fn::Sub, left, c.body.read(meanOf(s), DType::F32, out));
    const int dy = c.body.call(Fn::Sub, right, c.body.read(meanOf(t), DType::F32, out));
    c.body.root = c.body.call(Fn::Mul, dx, dy);
    c.body.compact();
    return made[{s, t}] = names.define(std::move(f), product, ".centred");
  }

  /// What the sum adds, as a node of c's body; -1 where it runs over other points.
  int summand(Clause &c, const Formula &sum) const {
    const Clause &other = sum.clauses[0];
    if (!sameDomain(c, other) || c.out != other.out) return -1;
    const int n = c.body.copy(other.body, other.body.root);
    return names.wholeMeaning(c.body, n);
  }

  /// A tensor of the sum over the number of points, written as `mean` is.
  int meanOf(int sum) {
    if (auto known = means.find(sum); known != means.end()) return known->second;
    const Formula f = *names.formulaOf(sum);
    double points = 1;
    bool batch = false;
    for (int p : f.clauses[0].reduction()) {
      const graph::Extent &e = f.clauses[0].domain[p].extent;
      e.batch ? void(batch = true) : void(points *= static_cast<double>(e.size));
    }
    Formula mean;
    mean.location = f.location;
    mean.origin = f.origin;
    mean.clauses.push_back(resultClause(f.clauses[0]));
    Body &b = mean.clauses[0].body;
    b.root = b.read(sum, DType::F32, mean.clauses[0].out);
    if (points != 1) b.root = b.call(Fn::Mul, b.constant(1 / points), b.root);
    if (batch) {
      const int inverse =
          names.graph.addScalar("inv_count", {{ScalarOp::Const, 1}, {ScalarOp::Count}, {ScalarOp::Div}});
      b.root = b.call(Fn::Mul, b.scalar(inverse), b.root);
    }
    return means[sum] = names.define(std::move(mean), sum, ".mean");
  }

  Names names;
  std::map<std::pair<int, int>, int> made; // by the sums of x and y
  std::map<int, int> means;                // by the sum
};

} // namespace

void centre(Graph &g) {
  Centring(g).run();
}

} // namespace netc::passes
