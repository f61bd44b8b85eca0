#include "compiler/schedule/candidates.h"

#include "compiler/schedule/lower.h"
#include "compiler/schedule/lower_leaf.h"
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/passes.h"
#include "compiler/loop/verifier.h"

#include <algorithm>
#include <optional>

namespace netc::schedule {

using graph::Graph;

namespace {

constexpr int tilesTried = 12;
constexpr double unsure = 0.01; // of the cost, where the model assumes something else of caches or unrolling
constexpr Variation otherwise[] = {{0, 1, 1}, {0, 0.5, 1}, {0, 2, 1}, {0, 1, 0.25}, {0, 1, 4}};

std::int64_t tileOf(const Leaf &leaf, const std::string &index) {
  for (auto &[name, size] : leaf.tile)
    if (name == index) return size;
  return 1;
}

/// The tiles of the leaf's group take as many samples at a time as before, the threads share the same index, and sums wait in
/// memory only where they did.
bool fitsIn(const Graph &g, const Group &group, const Leaf &old, Leaf &leaf) {
  const bool rows = group.tile > 0 && group.tile < loop::lanes;
  if (leaf.parallel != old.parallel || interruptsReduction(g, leaf) != interruptsReduction(g, old)) return false;
  if (!rows) return true;
  if (leaf.order.front() != Step{leaf.parallel} || tileOf(leaf, leaf.parallel) > group.tile) return false;
  if (tileOf(leaf, leaf.parallel) < group.tile) leaf.order.insert(leaf.order.begin(), {leaf.parallel, group.tile});
  return true;
}

/// All that the model thinks of, cheapest first; the old one is the first.
std::vector<PlannedLeaf> variations(const Graph &g, const Schedule &s, const Target &target, const Group &group, const Leaf &old) {
  std::vector<PlannedLeaf> list;
  const graph::Formula &formula = *g.definition(g.find(old.formula));
  for (Variation v : otherwise)
    for (v.tile = 0; v.tile < tilesTried; ++v.tile) {
      PlannedLeaf planned = planLeaf(g, s, target, formula, old.clause, v);
      Leaf &leaf = planned.leaf;
      leaf.with = old.with, leaf.then = old.then, leaf.location = old.location;
      if (v.cache != 1 || v.unroll != 1) planned.cost *= 1 + unsure;
      if (fitsIn(g, group, old, leaf) &&
          std::none_of(list.begin(), list.end(), [&](const PlannedLeaf &p) { return print(p.leaf) == print(leaf); }))
        list.push_back(std::move(planned));
    }
  const auto own = std::find_if(list.begin(), list.end(), [&](const PlannedLeaf &p) { return print(p.leaf) == print(old); });
  if (own == list.end()) // a user's, or that of an earlier tuning
    list.insert(list.begin(), {old, list.empty() ? 0 : list.front().cost});
  else
    std::rotate(list.begin(), own, own + 1);
  std::stable_sort(list.begin() + 1, list.end(), [](const PlannedLeaf &a, const PlannedLeaf &b) { return a.cost < b.cost; });
  return list;
}

/// In place of one kernel of an entry; nothing where it does not fit.
std::optional<loop::Kernel> kernelOf(const Graph &g, const Schedule &s, const loop::Program &program, const loop::Entry &lowered,
                                     std::size_t group, const Leaf &leaf, std::size_t number) {
  loop::Program alone = program;
  alone.entries = {lowered};
  loop::Entry &entry = alone.entries[0];
  loop::Kernel &kernel = entry.kernels[number];
  const bool depthFirst = kernel.depthFirst;
  try {
    kernel = lowerLeaf(g, s, storeOffsets(program), group, leaf);
  } catch (const UserError &) {
    return std::nullopt;
  }
  kernel.depthFirst = depthFirst;
  loop::optimize(entry, kernel, program.batch);
  if (!checkMemory(entry, program.batch).empty()) return std::nullopt;
  const loop::Kernel made = kernel;
  entry.kernels = {made};
  entry.kernels[0].depthFirst = false;
  entry.commit = 0;
  Diagnostics diagnostics;
  if (!loop::verify(alone, diagnostics)) return std::nullopt;
  return made;
}

} // namespace

std::vector<Candidate> candidates(const Graph &g, const Schedule &s, const Target &target, const loop::Program &program,
                                  const loop::Entry &lowered, std::size_t group, std::size_t leaf, std::size_t most) {
  const Leaf &old = s.run[group].leaves[leaf];
  std::size_t number = leaf;
  for (std::size_t i = 0; i < group; ++i)
    number += s.run[i].leaves.size();
  std::vector<Candidate> list{{old, 0, lowered.kernels[number]}};
  if (old.fill || g.definition(g.find(old.formula))->op == graph::Combine::Assign) return list;
  const std::vector<PlannedLeaf> planned = variations(g, s, target, s.run[group], old);
  list[0].cost = planned[0].cost;
  for (std::size_t i = 1; i < planned.size() && list.size() < most; ++i)
    if (auto kernel = kernelOf(g, s, program, lowered, group, planned[i].leaf, number))
      list.push_back({planned[i].leaf, planned[i].cost, std::move(*kernel)});
  return list;
}

} // namespace netc::schedule
