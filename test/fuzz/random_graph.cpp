#include "test/fuzz/random_graph.h"

#include "compiler/graph/verifier.h"
#include "compiler/support/diagnostics.h"
#include "test/fuzz/random_formula.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace netc::fuzz {

using graph::Combine;
using graph::Extent;
using graph::Formula;
using graph::Graph;
using graph::Tensor;
using graph::TensorKind;

namespace {

constexpr int maxGradients = 4; // of an entry

Tensor shared(TensorKind kind, std::string name, DType type, std::vector<Extent> shape) {
  Tensor t;
  t.kind = kind;
  t.name = std::move(name);
  t.dtype = type;
  t.shape = std::move(shape);
  if (t.inStore())
    t.init = {graph::Initializer::Kind::Uniform, -1, 1};
  return t;
}

std::vector<Tensor> sharedTensors(std::int64_t batch, Random &r) {
  const Extent n{batch, true};
  auto odd = [&] { return Extent{std::vector<std::int64_t>{3, 5, 7, 9, 11, 13}[r.below(6)], false}; };
  std::vector<Tensor> list;
  list.push_back(shared(TensorKind::Input, "image", DType::F32, {n, {3, false}, {7, false}, {9, false}}));
  list.push_back(shared(TensorKind::Input, "signal", DType::F32, {n, odd(), odd()}));
  list.push_back(shared(TensorKind::Input, "features", DType::F32, {n, {17, false}}));
  list.push_back(shared(TensorKind::Input, "pixels", DType::U8, {n, {5, false}, {6, false}}));
  list.push_back(shared(TensorKind::Target, "label", DType::I32, {n}));
  list.back().classes = 5;
  list.push_back(shared(TensorKind::Param, "kernel", DType::F32, {{4, false}, {3, false}, {3, false}, {2, false}}));
  list.push_back(shared(TensorKind::Param, "matrix", DType::F32, {odd(), odd()}));
  list.push_back(shared(TensorKind::Param, "wide", DType::F32, {{33, false}}));
  list.push_back(shared(TensorKind::Param, "one", DType::F32, {}));
  list.push_back(shared(TensorKind::State, "running", DType::F32, {odd()}));
  Tensor table = shared(TensorKind::Constant, "table", DType::F32, {{2, false}, {3, false}});
  table.values = {0.5, -1, 0.1, 2, -0.3, 0};
  list.push_back(std::move(table));
  return list;
}

/// sum of all elements of t, as a new scalar tensor.
int addTotal(Graph &g, int t) {
  Formula f;
  f.op = Combine::Sum;
  graph::Clause c;
  std::vector<Affine> map;
  for (const Extent &e : g.tensors[t].shape) {
    map.push_back(Affine::var(static_cast<int>(c.domain.size())));
    c.domain.push_back({fmt::format("i{}", c.domain.size()), e});
  }
  c.body.root = c.body.read(t, g.tensors[t].dtype, map);
  f.clauses = {c};
  Tensor total;
  total.name = g.tensors[t].name + ".total";
  f.target = g.addTensor(total);
  g.formulas.push_back(f);
  return f.target;
}

void addLoss(Graph &g, const std::vector<int> &outputs) {
  graph::Clause c;
  c.body.root = c.body.constant(0);
  for (int t : outputs)
    if (g.tensors[t].dtype == DType::F32) {
      const int total = addTotal(g, t);
      c.body.root = c.body.call(Fn::Add, c.body.root, c.body.read(total, DType::F32, {}));
    }
  Formula f;
  f.clauses = {c};
  Tensor t;
  t.name = "loss";
  f.target = g.addTensor(t);
  g.formulas.push_back(f);
  g.results.push_back({graph::Result::Kind::Loss, "loss", f.target});
}

void addGradients(Graph &g, Random &r) {
  std::set<int> read;
  for (const Formula &f : g.formulas)
    for (const graph::Clause &c : f.clauses)
      for (const graph::Node &n : c.body.nodes)
        if (n.kind == graph::Node::Kind::Read && g.tensors[n.id].shared() && g.tensors[n.id].dtype == DType::F32 &&
            g.tensors[n.id].kind != TensorKind::Constant)
          read.insert(n.id);
  std::vector<int> of(read.begin(), read.end());
  r.shuffle(of);
  if (of.size() > maxGradients)
    of.resize(maxGradients);
  for (int t : of) {
    Tensor d = shared(TensorKind::Gradient, g.tensors[t].name + ".grad", DType::F32, g.tensors[t].shape);
    d.of = t;
    const int made = g.addTensor(d);
    g.results.push_back({graph::Result::Kind::Output, g.tensors[made].name, made});
  }
}

Graph randomEntry(const std::string &name, const std::vector<Tensor> &tensors, const Size &size, Random &r) {
  Graph g;
  g.name = name;
  g.batch = size.batch;
  g.tensors = tensors;
  g.addScalar("rate", parseScalarProgram("0.5 / count"));
  g.addScalar("low", keyProgram(ScalarOp::KeyLow, name));
  g.addScalar("high", keyProgram(ScalarOp::KeyHigh, name));
  std::vector<int> outputs;
  for (int attempt = 0; static_cast<int>(outputs.size()) < size.formulas && attempt < 1000; ++attempt)
    if (addRandomFormula(g, fmt::format("y{}", outputs.size()), r))
      outputs.push_back(g.formulas.back().target);
  for (int t : outputs)
    g.results.push_back({graph::Result::Kind::Output, g.tensors[t].name, t});
  addLoss(g, outputs);
  addGradients(g, r);
  return g;
}

} // namespace

graph::Module randomModule(std::uint64_t seed, const Size &size) {
  Random r(seed);
  graph::Module m;
  m.name = fmt::format("fuzz{}", seed);
  m.batch = size.batch;
  const std::vector<Tensor> tensors = sharedTensors(size.batch, r);
  for (int e = 0; e < size.entries; ++e)
    m.entries.push_back(randomEntry(fmt::format("entry{}", e), tensors, size, r));
  Diagnostics diag;
  if (!graph::verify(m, diag))
    internalError("the generator made an invalid module:\n" + diag.str());
  return m;
}

bool isIrregular(const Formula &f) {
  if (f.op >= Combine::Max || f.clauses.size() > 1)
    return true;
  auto bent = [](const Affine &a) { return !a.isConstant() && !a.isVar(); };
  for (const graph::Clause &c : f.clauses) {
    if (!c.guards.empty() || std::any_of(c.out.begin(), c.out.end(), bent))
      return true;
    for (const graph::Node &n : c.body.nodes)
      if (std::any_of(n.map.begin(), n.map.end(), bent))
        return true;
  }
  return false;
}

} // namespace netc::fuzz
