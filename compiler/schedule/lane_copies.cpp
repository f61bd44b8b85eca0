// What a contraction along lanes that lie apart would gather for each product: where samples lie one by one, so do their 8 channels, say,
// and a kernel's w[o, c, u, v], of which the gradient of the input runs over c. It reads a copy in which they lie side by side.
#include "compiler/schedule/plan_parts.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace netc::schedule {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

constexpr double copyCost = 3 * gatherCost; // an element is gathered once, written, and found in memory

struct Gathered {
  int node = -1, dimension = -1; // of the body, and of what it reads: the one along the lanes
};

std::vector<Gathered> gathered(const Graph &g, const std::map<std::string, Placement> &layouts, const Formula &f) {
  const Clause &c = f.clauses[0];
  if (f.clauses.size() != 1 || !isContraction(f, c)) return {};
  const Nest nest = makeNest(g, layouts, f, 0);
  if (!nest.rows) return {};
  double points = 1;
  for (const Position &p : nest.positions)
    points *= static_cast<double>(p.extent);
  const auto copied = [&](const Access &read) {
    return 1 + copyCost * static_cast<double>(elements(g.tensors[read.tensor])) / points;
  };
  const int vector = cheapestVector(nest, [&](const Access &read) { return std::min(gatherCost, copied(read)); });
  if (vector < 0) return {};
  std::vector<Gathered> result;
  for (int node : c.body.nodes[c.body.root].args) {
    const Node &n = c.body.nodes[node];
    const Access &read = nest.reads[node];
    const auto plain = std::find(n.map.begin(), n.map.end(), Affine::var(vector));
    if (plain != n.map.end() && read.address.coefficient(vector) > 1 && copied(read) < gatherCost)
      result.push_back({node, static_cast<int>(plain - n.map.begin())});
  }
  return result;
}

template <class T> void moveToEnd(std::vector<T> &list, int i) { std::rotate(list.begin() + i, list.begin() + i + 1, list.end()); }

/// Appends the copy and returns its target.
int addPermuted(Graph &g, int tensor, int dimension) {
  const int copy = addCopy(g, g.tensors[tensor].name + ".permuted", tensor);
  g.tensors[copy].blocked.clear();
  moveToEnd(g.tensors[copy].shape, dimension);
  moveToEnd(g.formulas.back().clauses[0].out, dimension);
  return copy;
}

} // namespace

void copyGathered(Graph &g) {
  const std::map<std::string, Placement> layouts = planLayouts(g);
  std::map<std::pair<int, int>, int> copies; // of a tensor, by its dimension at the end
  for (std::size_t i = 0; i < g.formulas.size(); ++i)
    for (const Gathered &found : gathered(g, layouts, g.formulas[i])) {
      const int tensor = g.formulas[i].clauses[0].body.nodes[found.node].id;
      int &copy = copies.try_emplace({tensor, found.dimension}, -1).first->second;
      if (copy < 0) {
        copy = addPermuted(g, tensor, found.dimension);
        std::rotate(g.formulas.begin() + static_cast<std::ptrdiff_t>(i), g.formulas.end() - 1, g.formulas.end());
        ++i;
      }
      Node &read = g.formulas[i].clauses[0].body.nodes[found.node];
      read.id = copy;
      moveToEnd(read.map, found.dimension);
    }
}

} // namespace netc::schedule
