#include "compiler/grad/dependence.h"

#include "compiler/grad/differentiate.h"

#include <algorithm>

namespace netc::grad {

using graph::Combine;
using graph::Formula;
using graph::Graph;

std::vector<int> readTensors(const Formula &f) {
  std::vector<int> read;
  for (const graph::Clause &c : f.clauses)
    for (const graph::Node &n : c.body.nodes)
      if (n.kind == graph::Node::Kind::Read && std::find(read.begin(), read.end(), n.id) == read.end())
        read.push_back(n.id);
  return read;
}

bool stopsGradient(const Graph &g, const Formula &f) {
  return f.origin == stopOrigin || givesOrdinals(f.op) ||
         g.tensors[f.target].dtype != DType::F32;
}

std::vector<char> dependsOnGradient(const Graph &g) {
  std::vector<char> late(g.tensors.size(), 0);
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    late[t] = g.tensors[t].kind == graph::TensorKind::Gradient;
  for (const Formula &f : g.formulas)
    for (int t : readTensors(f))
      late[f.target] |= late[t];
  return late;
}

std::vector<char> gradientPath(const Graph &g, std::span<const Formula> formulas,
                               const std::function<bool(int)> &starts) {
  std::vector<char> from(g.tensors.size(), 0), to(g.tensors.size(), 0);
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    from[t] = starts(static_cast<int>(t));
  for (const Formula &f : formulas)
    if (!stopsGradient(g, f))
      for (int t : readTensors(f))
        from[f.target] |= from[t];
  for (const graph::Result &r : g.results)
    if (r.kind == graph::Result::Kind::Loss) to[r.tensor] = 1;
  for (auto f = formulas.rbegin(); f != formulas.rend(); ++f)
    if (to[f->target] && !stopsGradient(g, *f))
      for (int t : readTensors(*f))
        to[t] = 1;
  for (std::size_t t = 0; t < from.size(); ++t)
    from[t] &= to[t];
  return from;
}

} // namespace netc::grad
