#include "compiler/driver/flops.h"

#include <algorithm>

namespace netc::driver {
namespace {

/// True when some index of the clause does not appear in the read: its values are used again along that index.
bool isReused(const graph::Clause &clause, const graph::Node &read) {
  for (int i = 0; i < static_cast<int>(clause.domain.size()); ++i) {
    bool used = std::any_of(read.map.begin(), read.map.end(), [&](const Affine &a) { return a.uses(i); });
    if (!used && clause.domain[static_cast<std::size_t>(i)].extent.size > 1) return true;
  }
  return false;
}

bool isContraction(const graph::Clause &clause) {
  const auto &nodes = clause.body.nodes;
  const graph::Node &root = nodes[static_cast<std::size_t>(clause.body.root)];
  if (root.kind != graph::Node::Kind::Call || root.fn != Fn::Mul) return false;
  return std::all_of(root.args.begin(), root.args.end(), [&](int a) {
    const graph::Node &n = nodes[static_cast<std::size_t>(a)];
    return n.kind == graph::Node::Kind::Read && isReused(clause, n);
  });
}

} // namespace

double nominalFlops(const graph::Graph &entry) {
  double flops = 0;
  for (const graph::Formula &f : entry.formulas)
    for (const graph::Clause &c : f.clauses) {
      if (f.op != graph::Combine::Sum || !isContraction(c)) continue;
      double points = 1;
      for (const graph::Index &i : c.domain) points *= static_cast<double>(i.extent.size);
      flops += 2 * points;
    }
  return flops;
}

} // namespace netc::driver
