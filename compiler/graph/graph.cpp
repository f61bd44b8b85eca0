#include "compiler/graph/graph.h"

#include "compiler/support/diagnostics.h"
#include "compiler/support/entry_name.h"

#include <algorithm>

namespace netc::graph {

std::string_view name(Combine op) {
  switch (op) {
  case Combine::Assign: return "assign";
  case Combine::Sum: return "sum";
  case Combine::Prod: return "prod";
  case Combine::Max: return "max";
  case Combine::Min: return "min";
  case Combine::ArgMax: return "argmax";
  case Combine::ArgMin: return "argmin";
  }
  internalError("unknown combine");
}

std::vector<int> Clause::reduction() const {
  std::vector<int> free;
  for (int p = 0; p < static_cast<int>(domain.size()); ++p)
    if (std::none_of(out.begin(), out.end(), [&](const Affine &a) { return a.uses(p); }))
      free.push_back(p);
  return free;
}

int Graph::find(std::string_view tensorName) const {
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == tensorName)
      return static_cast<int>(i);
  return -1;
}

int Graph::addTensor(Tensor t) {
  if (t.kind == TensorKind::Local && find(t.name) >= 0) {
    const std::string stem = t.name;
    for (int k = 2; find(t.name) >= 0; ++k)
      t.name = stem + "." + std::to_string(k);
  }
  tensors.push_back(std::move(t));
  return static_cast<int>(tensors.size()) - 1;
}

int Graph::addScalar(std::string scalarName, std::vector<ScalarOp> program) {
  RuntimeScalar s{std::move(scalarName), std::move(program)};
  for (std::size_t i = 0; i < scalars.size(); ++i)
    if (scalars[i] == s)
      return static_cast<int>(i);
  const std::string stem = s.name;
  auto taken = [&](const RuntimeScalar &other) { return other.name == s.name; };
  for (int k = 2; std::any_of(scalars.begin(), scalars.end(), taken); ++k)
    s.name = stem + "." + std::to_string(k);
  scalars.push_back(std::move(s));
  return static_cast<int>(scalars.size()) - 1;
}

Formula *Graph::definition(int tensor) {
  auto f = std::find_if(formulas.begin(), formulas.end(), [&](const Formula &x) { return x.target == tensor; });
  return f == formulas.end() ? nullptr : &*f;
}

const Formula *Graph::definition(int tensor) const { return const_cast<Graph *>(this)->definition(tensor); }

int Graph::sharedCount() const {
  auto end = std::find_if(tensors.begin(), tensors.end(), [](const Tensor &t) { return !t.shared(); });
  return static_cast<int>(end - tensors.begin());
}

bool reads(const Formula &f, int tensor) {
  const auto isRead = [&](const Node &n) { return n.kind == Node::Kind::Read && n.id == tensor; };
  return std::any_of(f.clauses.begin(), f.clauses.end(),
                     [&](const Clause &c) { return std::any_of(c.body.nodes.begin(), c.body.nodes.end(), isRead); });
}

std::vector<std::vector<int>> readers(const Graph &g) {
  std::vector<std::vector<int>> all(g.tensors.size());
  for (int f = 0; f < static_cast<int>(g.formulas.size()); ++f)
    for (const Clause &c : g.formulas[f].clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read && (all[n.id].empty() || all[n.id].back() != f)) all[n.id].push_back(f);
  return all;
}

void dropFormulas(Graph &g, const std::vector<char> &marked) {
  std::vector<char> gone(g.tensors.size(), 0);
  std::vector<Formula> keptFormulas;
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    if (marked[i])
      gone[g.formulas[i].target] = 1;
    else
      keptFormulas.push_back(std::move(g.formulas[i]));
  }
  std::vector<int> moved(g.tensors.size(), -1);
  std::vector<Tensor> keptTensors;
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    if (!gone[t]) {
      moved[t] = static_cast<int>(keptTensors.size());
      keptTensors.push_back(std::move(g.tensors[t]));
    }
  for (Tensor &t : keptTensors)
    if (t.of >= 0) t.of = moved[t.of];
  for (Formula &f : keptFormulas) {
    f.target = moved[f.target];
    for (Clause &c : f.clauses)
      for (Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read) n.id = moved[n.id];
  }
  for (Result &r : g.results)
    r.tensor = moved[r.tensor];
  for (Next &n : g.next)
    n = {moved[n.state], moved[n.value]};
  g.tensors = std::move(keptTensors);
  g.formulas = std::move(keptFormulas);
}

Graph *Module::entry(std::string_view entryName) {
  auto g = std::find_if(entries.begin(), entries.end(), [&](const Graph &x) { return x.name == entryName; });
  return g == entries.end() ? nullptr : &*g;
}

const Graph *Module::entry(std::string_view entryName) const {
  return const_cast<Module *>(this)->entry(entryName);
}

const Graph *Module::trainingEntry() const {
  const auto g = std::find_if(entries.begin(), entries.end(), [](const Graph &x) { return isTraining(x.name); });
  return g == entries.end() ? nullptr : &*g;
}

} // namespace netc::graph
