#include "compiler/driver/joined.h"

#include "compiler/graph/text.h"

#include <algorithm>

namespace netc::driver {
namespace {

using graph::Graph;

/// The formula of `more` with the tensors and scalars of `base`.
graph::Formula moved(graph::Formula f, int target, const std::vector<int> &tensors, const Graph &more, Graph &base) {
  f.target = target;
  for (graph::Clause &c : f.clauses)
    for (graph::Node &n : c.body.nodes) {
      if (n.kind == graph::Node::Kind::Read) n.id = tensors[static_cast<std::size_t>(n.id)];
      if (n.kind != graph::Node::Kind::Scalar) continue;
      const RuntimeScalar &s = more.scalars[static_cast<std::size_t>(n.id)];
      n.id = base.addScalar(s.name, s.program);
    }
  return f;
}

bool hasResult(const Graph &entry, const graph::Result &r) {
  return std::any_of(entry.results.begin(), entry.results.end(), [&](const graph::Result &have) { return have.name == r.name; });
}

} // namespace

std::optional<Graph> joined(Graph base, const Graph &more) {
  std::vector<int> tensors; // of `more`, in `base`
  for (const graph::Tensor &t : more.tensors) tensors.push_back(base.find(t.name));
  for (const graph::Formula &f : more.formulas) {
    int &target = tensors[static_cast<std::size_t>(f.target)];
    if (target >= 0) {
      const graph::Formula *same = base.definition(target);
      if (!same || graph::print(base, *same) != graph::print(more, f)) return {};
      continue;
    }
    target = base.addTensor(more.tensors[static_cast<std::size_t>(f.target)]);
    base.formulas.push_back(moved(f, target, tensors, more, base));
  }
  for (const graph::Result &r : more.results)
    if (!hasResult(base, r)) base.results.push_back({r.kind, r.name, tensors[static_cast<std::size_t>(r.tensor)]});
  return base;
}

} // namespace netc::driver
