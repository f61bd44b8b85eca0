// Requires: nothing. Formulas stand in order, so one walk from the end finds all that is needed.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace netc::passes {

void dce(graph::Graph &g) {
  std::vector<char> needed = pinnedTensors(g);
  std::vector<char> drop(g.formulas.size(), 0);
  for (std::size_t i = g.formulas.size(); i-- > 0;) {
    const graph::Formula &f = g.formulas[i];
    drop[i] = !needed[f.target];
    if (drop[i]) continue;
    for (const graph::Clause &c : f.clauses)
      for (const graph::Node &n : c.body.nodes)
        if (n.kind == graph::Node::Kind::Read) needed[n.id] = 1;
  }
  dropFormulas(g, drop);
}

} // namespace netc::passes
