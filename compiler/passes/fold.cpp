#include "compiler/passes/fold.h"

namespace netc::passes {

using graph::Body;
using graph::Node;

int foldCall(Body &b, int n) {
  const Node &call = b.nodes[n];
  const FnRow &f = row(call.fn);
  if (call.kind != Node::Kind::Call || !f.value) return n;
  double args[3] = {};
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    const Node &a = b.nodes[call.args[i]];
    if (a.kind != Node::Kind::Const) return n;
    args[i] = a.value;
  }
  return b.constant(f.value(args), call.dtype);
}

int foldConstants(Body &to, const Body &from) {
  std::vector<int> made;
  for (Node n : from.nodes) {
    for (int &a : n.args)
      a = made[a];
    made.push_back(foldCall(to, to.add(std::move(n))));
  }
  return made[from.root];
}

} // namespace netc::passes
