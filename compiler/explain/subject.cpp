#include "compiler/explain/subject.h"

#include "compiler/grad/dependence.h"
#include "compiler/grad/differentiate.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

#include <algorithm>

namespace netc::explain {

using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Result;
using graph::Tensor;
using graph::TensorKind;

namespace {

void dropOptimizer(Graph &g) {
  const std::vector<char> late = grad::dependsOnGradient(g);
  std::erase_if(g.results, [](const Result &r) { return r.kind != Result::Kind::Loss; });
  g.next.clear();
  std::vector<char> drop;
  for (const Formula &f : g.formulas) drop.push_back(late[static_cast<std::size_t>(f.target)]);
  dropFormulas(g, drop);
}

/// Every call of uniform() becomes a formula of its own, u1, u2, ...: a name under which its numbers can be told.
class RandomNumbers {
 public:
  explicit RandomNumbers(Graph &g) : g(g) {}

  void name() {
    for (std::size_t f = 0; f < g.formulas.size(); ++f)
      for (std::size_t c = 0; c < g.formulas[f].clauses.size(); ++c) {
        graph::Clause &clause = g.formulas[f].clauses[c];
        graph::Body named;
        named.root = named.copy(
            clause.body, clause.body.root, {},
            [&](int n) { return isUniform(clause.body.nodes[static_cast<std::size_t>(n)]) ? read(clause, n, named) : -1; });
        clause.body = std::move(named);
      }
    g.formulas.insert(g.formulas.begin(), made.begin(), made.end());
  }

 private:
  static bool isUniform(const Node &n) { return n.kind == Node::Kind::Call && n.fn == Fn::Uniform; }

  /// A read of the tensor that holds the numbers of node n, over those indices that choose them.
  int read(const graph::Clause &from, int n, graph::Body &to) {
    const Node &call = from.body.nodes[static_cast<std::size_t>(n)];
    Affine::Terms terms = from.body.nodes[static_cast<std::size_t>(call.args[2])].affine.terms();
    std::sort(terms.begin(), terms.end(), [](const auto &a, const auto &b) { return a.second > b.second; });
    graph::Clause c;
    std::vector<Affine> map;
    std::string key = std::to_string(from.body.nodes[static_cast<std::size_t>(call.args[0])].id);
    for (const auto &[v, weight] : terms) {
      map.push_back(Affine::var(v));
      c.out.push_back(Affine::var(static_cast<int>(c.domain.size())));
      c.domain.push_back(from.domain[static_cast<std::size_t>(v)]);
      key += "," + std::to_string(c.domain.back().extent.size) + "*" + std::to_string(weight);
    }
    auto [known, isNew] = tensors.try_emplace(key, -1);
    if (isNew) {
      c.body.root = c.body.copy(from.body, n, [&](int v) {
        const auto at = std::find_if(terms.begin(), terms.end(), [&](const Affine::Term &t) { return t.first == v; });
        return Affine::var(static_cast<int>(at - terms.begin()));
      });
      known->second = define(std::move(c));
    }
    return to.read(known->second, DType::F32, std::move(map));
  }

  int define(graph::Clause c) {
    Tensor u;
    for (int k = 1; u.name.empty() || g.find(u.name) >= 0; ++k) u.name = "u" + std::to_string(k);
    for (const graph::Index &i : c.domain) u.shape.push_back(i.extent);
    Formula f;
    f.clauses.push_back(std::move(c));
    f.target = g.addTensor(std::move(u));
    made.push_back(std::move(f));
    return made.back().target;
  }

  Graph &g;
  std::vector<Formula> made;
  std::map<std::string, int> tensors; // by stream, extents and their weights
};

bool asksForGradients(const Graph &g) {
  return std::any_of(g.tensors.begin(), g.tensors.end(), [](const Tensor &t) { return t.kind == TensorKind::Gradient; });
}

/// The formulas of the outputs that the loss has no part in; shared tensors have the same numbers everywhere.
void addOutputs(Graph &g, const Graph &outputs) {
  std::vector<int> moved(outputs.tensors.size(), -1);
  for (std::size_t t = 0; t < moved.size(); ++t) moved[t] = g.find(outputs.tensors[t].name);
  for (Formula f : outputs.formulas) {
    int &target = moved[static_cast<std::size_t>(f.target)];
    if (target >= 0) continue;
    target = g.addTensor(outputs.tensors[static_cast<std::size_t>(f.target)]);
    f.target = target;
    for (graph::Clause &c : f.clauses)
      for (Node &n : c.body.nodes) {
        if (n.kind == Node::Kind::Read) n.id = moved[static_cast<std::size_t>(n.id)];
        if (n.kind != Node::Kind::Scalar) continue;
        const RuntimeScalar &s = outputs.scalars[static_cast<std::size_t>(n.id)];
        n.id = g.addScalar(s.name, s.program);
      }
    g.formulas.push_back(std::move(f));
  }
  for (const Result &r : outputs.results)
    if (r.kind == Result::Kind::Output) g.results.push_back({r.kind, r.name, moved[static_cast<std::size_t>(r.tensor)]});
}

void simplify(Graph &g) { passes::run({passes::findPass("simplify"), 1}, g); }

/// "h.grad" and "h.grad.2" belong to h.
int ownerOf(const Graph &g, const std::string &name) {
  const std::size_t at = name.rfind(".grad");
  return at == std::string::npos ? -1 : g.find(name.substr(0, at));
}

} // namespace

bool readsTensor(const Formula &f, int tensor) {
  const std::vector<int> all = grad::readTensors(f);
  return std::find(all.begin(), all.end(), tensor) != all.end();
}

bool differentiated(const Graph &entry, const Graph *outputs, Derivation &d, Diagnostics &diag) {
  Graph &g = d.graph = entry;
  dropOptimizer(g);
  RandomNumbers(g).name();
  if (!asksForGradients(g)) grad::askForGradients(g);
  if (outputs) addOutputs(g, *outputs);
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    if (g.tensors[t].kind == TensorKind::Gradient) d.gradientOf[static_cast<int>(t)] = g.tensors[t].of;
  std::map<int, int> asked = d.gradientOf;
  simplify(g);
  const std::size_t before = g.tensors.size();
  if (!grad::differentiate(g, diag)) return false;
  for (std::size_t t = before; t < g.tensors.size(); ++t)
    if (const int of = ownerOf(g, g.tensors[t].name); of >= 0) d.gradientOf[static_cast<int>(t)] = of;
  for (auto &[t, of] : asked) g.results.push_back({Result::Kind::Output, g.tensors[static_cast<std::size_t>(t)].name, t});
  simplify(g);
  return true;
}

} // namespace netc::explain
