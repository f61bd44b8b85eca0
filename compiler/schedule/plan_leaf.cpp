// One clause made a leaf: what runs along the lanes, which indices run as one, and, from the parts of the cost model for its
// kind, tile and order.
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>

namespace netc::schedule {

using graph::Formula;
using graph::Graph;

namespace {

/// Result indices by falling stride in the result, so that it is written in order.
std::vector<int> resultOrder(const Nest &nest) {
  std::vector<int> list;
  for (std::size_t p = 0; p < nest.positions.size(); ++p)
    if (!nest.positions[p].name.empty() && !nest.positions[p].reduction && !nest.positions[p].batch)
      list.push_back(static_cast<int>(p));
  const auto stride = [&](int p) {
    const int block = nest.positions[p].block;
    return nest.out.coefficient(block >= 0 ? block : p);
  };
  std::stable_sort(list.begin(), list.end(), [&](int a, int b) { return stride(a) > stride(b); });
  return list;
}

/// Pointwise formulas over contiguous indices run as one long loop. Returns the names of each group.
std::vector<std::vector<std::string>> collapseAll(Nest &nest) {
  std::vector<std::vector<std::string>> groups;
  if (nest.formula->op != graph::Combine::Assign) return groups;
  std::vector<int> order = resultOrder(nest);
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = order.size(); // two indices that lie in blocks may only do with those between
    while (end > begin + 1 && !canCollapse(nest, std::vector<int>(order.begin() + begin, order.begin() + end)))
      --end;
    if (end - begin > 1) {
      const std::vector<int> group(order.begin() + begin, order.begin() + end);
      std::vector<std::string> names;
      for (int p : group)
        names.push_back(nest.positions[p].name);
      groups.push_back(names);
      collapse(nest, group);
    }
    begin = end;
  }
  return groups;
}

} // namespace

Nest collapsed(const Graph &g, const std::map<std::string, Placement> &memory, const Formula &f, int clause) {
  Nest nest = makeNest(g, memory, f, clause);
  collapseAll(nest);
  return nest;
}

PlannedLeaf planLeaf(const Graph &g, const Schedule &s, const Target &target, const Formula &f, int clause,
                     const Variation &variation) {
  PlannedLeaf planned;
  Leaf &leaf = planned.leaf;
  leaf.formula = g.tensors[f.target].name;
  leaf.clause = clause;
  Nest nest = makeNest(g, s.memory, f, clause);
  leaf.collapse = collapseAll(nest);
  const int vector = chooseVector(nest);
  if (vector >= 0) leaf.vector = nest.positions[vector].name;
  const auto numeric =
      std::find_if(s.numeric.begin(), s.numeric.end(), [&](const Numeric &n) { return n.formula == leaf.formula; });
  if (nest.batch >= 0 && !nest.positions[nest.batch].reduction) leaf.order.push_back({nest.positions[nest.batch].name});
  std::vector<Step> inBlocks; // of weights the 16 of each block, but for the lanes: it is read and written as a whole
  for (int p : resultOrder(nest)) {
    const Position &pos = nest.positions[p];
    const bool blocks = nest.batch < 0 && p != vector && pos.block >= 0;
    if (blocks) inBlocks.push_back({pos.name});
    if (!blocks || pos.extent > loop::lanes) leaf.order.push_back({pos.name, blocks ? loop::lanes : 1});
  }
  leaf.order.insert(leaf.order.end(), inBlocks.begin(), inBlocks.end());
  if (numeric != s.numeric.end()) leaf.order.insert(leaf.order.end(), numeric->order.begin(), numeric->order.end());
  if (nest.rows && vector >= 0 && vector != nest.batch && !nest.positions[vector].reduction &&
      isContraction(f, f.clauses[clause]) && injective(nest))
    planned.cost = planContraction(nest, vector, target, variation, *numeric, leaf);
  else if (vector >= 0 && vector == nest.batch && heavyWeights(nest) && injective(nest))
    planned.cost = planHeavyWeights(nest, target, variation, *numeric, leaf);
  else
    planned.cost = chooseTile(nest, target, variation, leaf);
  return planned;
}

} // namespace netc::schedule
