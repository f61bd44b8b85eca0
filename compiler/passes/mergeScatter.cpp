// Requires: `scatterToGather`, so that what is still scattered writes each element once. A scattered assignment, such as
// the gradient of a maximum, whose only reader is pointwise takes that reader into its clauses: one sweep instead of
// two. Where the scattered value is selected, the reader goes into the branch that varies, if it makes a constant of the
// other; the same holds for elements that no clause hits.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

#include <algorithm>

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

class Merge {
 public:
  Merge(const Graph &g, const Formula &producer, const Formula &reader)
      : g(g), producer(producer), reader(reader), body(reader.clauses[0].body) {}

  /// The reader, computed where the producer was; none when it would not be one value wherever no clause hits.
  std::optional<Formula> run() const {
    Formula merged = reader;
    merged.clauses.clear();
    merged.otherwise = producer.otherwise;
    if (producer.otherwise && !(merged.otherwise = ofConstant(*producer.otherwise))) return std::nullopt;
    for (const Clause &c : producer.clauses)
      merged.clauses.push_back(clause(c));
    return merged;
  }

 private:
  Clause clause(const Clause &c) const {
    Clause r = c;
    r.body = {};
    const Node &root = c.body.nodes[c.body.root];
    if (root.kind == Node::Kind::Call && root.fn == Fn::Select)
      for (int branch : {1, 2}) {
        const Node &other = c.body.nodes[root.args[3 - branch]];
        const auto constant = other.kind == Node::Kind::Const ? ofConstant(other.value) : std::nullopt;
        if (!constant) continue;
        std::vector<int> args(3);
        args[0] = r.body.copy(c.body, root.args[0]);
        args[branch] = readerOf(r.body, c, r.body.copy(c.body, root.args[branch]));
        args[3 - branch] = r.body.constant(*constant);
        r.body.root = r.body.call(Fn::Select, args);
        return r;
      }
    r.body.root = readerOf(r.body, c, r.body.copy(c.body, c.body.root));
    return r;
  }

  bool readsProducer(int node) const {
    return body.nodes[node].kind == Node::Kind::Read && body.nodes[node].id == producer.target;
  }

  /// The reader's body at the element that the clause hits.
  int readerOf(Body &to, const Clause &c, int value) const {
    return to.copy(body, body.root, [&](int v) { return c.out[v]; }, [&](int n) { return readsProducer(n) ? value : -1; });
  }

  std::optional<double> ofConstant(double value) const {
    Body b;
    b.root = b.copy(body, body.root, {}, [&](int n) { return readsProducer(n) ? b.constant(value, body.nodes[n].dtype) : -1; });
    b = simplified(g, std::move(b));
    const Node &root = b.nodes[b.root];
    return root.kind == Node::Kind::Const ? std::optional(root.value) : std::nullopt;
  }

  const Graph &g;
  const Formula &producer, &reader;
  const Body &body;
};

bool readsAtItsPoint(const Formula &reader, int tensor) {
  const Clause &c = reader.clauses[0];
  return std::all_of(c.body.nodes.begin(), c.body.nodes.end(), [&](const Node &n) {
    return n.kind != Node::Kind::Read || n.id != tensor || isIdentity(n.map, c.domain.size());
  });
}

/// The only formula that reads the tensor; -1: none or several.
int onlyReader(const Graph &g, int tensor) {
  int only = -1;
  for (std::size_t j = 0; j < g.formulas.size(); ++j)
    if (reads(g.formulas[j], tensor)) {
      if (only >= 0) return -1;
      only = static_cast<int>(j);
    }
  return only;
}

} // namespace

void mergeScatter(Graph &g) {
  const std::vector<char> pinned = pinnedTensors(g);
  const std::vector<char> wanted = gradientTensors(g);
  std::vector<char> drop(g.formulas.size(), 0);
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    Formula &producer = g.formulas[i];
    if (producer.op != graph::Combine::Assign || isPointwise(producer) || pinned[producer.target] || stopsGradient(producer))
      continue;
    const int j = onlyReader(g, producer.target);
    if (j < 0 || !isPointwise(g.formulas[j]) || stopsGradient(g.formulas[j]) || wanted[g.formulas[j].target] ||
        g.tensors[g.formulas[j].target].shape != g.tensors[producer.target].shape ||
        !readsAtItsPoint(g.formulas[j], producer.target))
      continue;
    std::optional<Formula> merged = Merge(g, producer, g.formulas[j]).run();
    if (!merged) continue;
    g.formulas[j] = std::move(*merged);
    for (Clause &c : producer.clauses)
      c.body = {}; // it reads nothing any more
    drop[i] = 1;
  }
  dropFormulas(g, drop);
}

} // namespace netc::passes
