#include "compiler/passes/names.h"

#include "compiler/passes/rewrite.h"

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Formula;
using graph::Node;

namespace {

constexpr std::size_t largestLookedInto = 64; // nodes; a larger body is no textbook formula
constexpr int deepest = 16;

} // namespace

Names::Names(graph::Graph &g)
    : graph(g), before(std::move(g.formulas)), wanted(gradientTensors(g)), definition(g.tensors.size(), -1) {
  g.formulas.clear();
}

void Names::append(Formula f) {
  definition.resize(graph.tensors.size(), -1);
  definition[f.target] = static_cast<int>(graph.formulas.size());
  graph.formulas.push_back(std::move(f));
}

int Names::define(Formula f, int like, const std::string &suffix, DType type) {
  graph::Tensor t;
  t.name = graph.tensors[like].name + suffix;
  t.dtype = type;
  t.shape = graph.tensors[like].shape;
  t.location = graph.tensors[like].location;
  f.target = graph.addTensor(std::move(t));
  append(std::move(f));
  return graph.formulas.back().target;
}

const Formula *Names::formulaOf(int tensor) const {
  if (tensor >= static_cast<int>(definition.size()) || definition[tensor] < 0) return nullptr;
  return &graph.formulas[definition[tensor]];
}

const Clause *Names::pointwise(int tensor) const {
  const Formula *f = formulaOf(tensor);
  const bool clear = f && isPointwise(*f) && !stopsGradient(*f) && !isWanted(tensor) &&
                     f->clauses[0].body.nodes.size() <= largestLookedInto;
  return clear ? &f->clauses[0] : nullptr;
}

int Names::meaning(Body &b, int node) const {
  const Node read = b.nodes[node]; // a copy: adding nodes moves the others
  if (read.kind != Node::Kind::Read || read.dtype != DType::F32) return node;
  const Clause *c = pointwise(read.id);
  return c ? b.copy(c->body, c->body.root, [&](int p) { return read.map[p]; }) : node;
}

int Names::wholeMeaning(Body &b, int node) const {
  for (int depth = 0; depth < deepest; ++depth) {
    const int inner = meaning(b, node);
    if (inner == node) break;
    node = inner;
  }
  return node;
}

double pointsPerElement(const Clause &c, double count) {
  double points = 1;
  for (int p : c.reduction())
    points *= c.domain[p].extent.batch ? count : static_cast<double>(c.domain[p].extent.size);
  return points;
}

bool isPlainSum(const graph::Graph &g, const Formula &f) {
  if (f.op != graph::Combine::Sum || f.otherwise || f.clauses.size() != 1 || !f.clauses[0].guards.empty())
    return false;
  const Clause &c = f.clauses[0];
  std::vector<char> used(c.domain.size(), 0);
  for (std::size_t d = 0; d < c.out.size(); ++d) {
    int v = -1;
    if (!c.out[d].isVar(&v) || used[v]++ || c.domain[v].extent != g.tensors[f.target].shape[d]) return false;
  }
  return true;
}

Clause resultClause(const Clause &sum) {
  Clause c;
  for (const Affine &a : sum.out) {
    int v = -1;
    a.isVar(&v);
    c.out.push_back(Affine::var(static_cast<int>(c.domain.size())));
    c.domain.push_back(sum.domain[v]);
  }
  return c;
}

} // namespace netc::passes
