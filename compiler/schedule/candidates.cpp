#include "compiler/schedule/candidates.h"

#include "compiler/schedule/lower.h"
#include "compiler/schedule/lower_leaf.h"
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/passes.h"
#include "compiler/loop/verifier.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace netc::schedule {

using graph::Graph;

namespace {

constexpr double unsure = 0.01; // of the cost, where the model assumes something else of caches or unrolling
constexpr struct {
  double cache, unroll;
  int tiles; // the best of them
} assumptions[] = {{1, 1, 12}, {0.5, 1, 3}, {2, 1, 3}, {1, 0.25, 3}, {1, 4, 3}};

std::int64_t tileOf(const Leaf &leaf, const std::string &index) {
  for (auto &[name, size] : leaf.tile)
    if (name == index) return size;
  return 1;
}

/// The tiles of the leaf's group take as many samples at a time as before, the threads share the same index, and sums wait in
/// memory only where they did.
bool fitsIn(const Graph &g, const Group &group, const Leaf &old, Leaf &leaf) {
  if (group.turns) leaf = inTurns(g, leaf, group.tile);
  const bool rows = group.tile > 0 && group.tile < loop::lanes && !group.turns;
  const graph::Formula &f = *g.definition(g.find(leaf.formula));
  if (leaf.parallel != old.parallel || interruptsReduction(f, leaf) != interruptsReduction(f, old)) return false;
  if (!rows) return true;
  if (leaf.order.front() != Step{leaf.parallel} || group.tile % tileOf(leaf, leaf.parallel) != 0) return false;
  if (tileOf(leaf, leaf.parallel) < group.tile) leaf.order.insert(leaf.order.begin(), {leaf.parallel, group.tile});
  return true;
}

/// All that the model thinks of, cheapest first; the old one is the first.
std::vector<PlannedLeaf> variations(const Graph &g, const Schedule &s, const Target &target, const Group &group, const Leaf &old) {
  std::vector<PlannedLeaf> list;
  const graph::Formula &formula = *g.definition(g.find(old.formula));
  for (const auto &a : assumptions)
    for (int tile = 0; tile < a.tiles; ++tile) {
      PlannedLeaf planned = planLeaf(g, s, target, formula, old.clause, {tile, a.cache, a.unroll});
      Leaf &leaf = planned.leaf;
      leaf = inTheWayOf(leaf, old);
      if (a.cache != 1 || a.unroll != 1) planned.cost *= 1 + unsure;
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

/// Nothing where it does not fit. `alone` is the program with no kernel.
std::optional<loop::Kernel> kernelOf(const Graph &g, const Schedule &s, loop::Program &alone, std::size_t group, const Leaf &leaf) {
  loop::Entry &entry = alone.entries[0];
  try {
    entry.kernels = {lowerLeaf(g, s, storeOffsets(alone), group, leaf)};
  } catch (const UserError &) {
    return std::nullopt;
  }
  loop::optimize(entry, entry.kernels[0], alone.batch);
  Diagnostics diagnostics;
  if (!loop::verify(alone, diagnostics)) return std::nullopt;
  return entry.kernels[0];
}

bool hasChoice(const Graph &g, const Leaf &leaf) {
  return !leaf.fill && g.definition(g.find(leaf.formula))->op != graph::Combine::Assign;
}

} // namespace

std::vector<Candidate> candidates(const Graph &g, const Schedule &s, const Target &target, const loop::Program &program,
                                  const loop::Entry &lowered, std::size_t group, std::size_t leaf, std::size_t most) {
  const Leaf &old = s.run[group].leaves[leaf];
  std::size_t number = leaf;
  for (std::size_t i = 0; i < group; ++i)
    number += s.run[i].leaves.size();
  std::vector<Candidate> list{{old, 0, lowered.kernels[number]}};
  if (!hasChoice(g, old)) return list;
  const std::vector<PlannedLeaf> planned = variations(g, s, target, s.run[group], old);
  list[0].cost = planned[0].cost;
  loop::Program alone = program;
  alone.entries = {lowered};
  alone.entries[0].commit = 0; // whether it runs after that does not matter here
  for (std::size_t i = 1; i < planned.size() && list.size() < most; ++i)
    if (auto kernel = kernelOf(g, s, alone, group, planned[i].leaf)) {
      kernel->depthFirst = list[0].kernel.depthFirst, kernel->turns = list[0].kernel.turns;
      list.push_back({planned[i].leaf, planned[i].cost, std::move(*kernel)});
    }
  return list;
}

std::string likeness(const Graph &g, const Schedule &s, std::size_t group, std::size_t number) {
  Leaf leaf = s.run[group].leaves[number];
  if (!hasChoice(g, leaf)) return "";
  const Nest nest = makeNest(g, s.memory, *g.definition(g.find(leaf.formula)), leaf.clause);
  const auto name = [](int p) { return fmt::format("p{}", p); };
  std::string text = fmt::format("{}{} {}:", s.run[group].tile, s.run[group].turns ? " turns" : "", static_cast<int>(nest.formula->op));
  for (const Position &p : nest.positions)
    text += fmt::format(" {} {} {}", p.name, p.extent, p.block);
  for (const Affine &guard : nest.guards)
    text += ", " + guard.str(name);
  for (const Access &read : nest.reads)
    if (read.tensor >= 0) text += fmt::format("; {} {}", netc::name(g.tensors[read.tensor].dtype), read.address.str(name));
  text += fmt::format(" -> {};", nest.out.str(name));
  for (std::vector<std::string> *others : {&leaf.with, &leaf.then})
    for (std::string &other : *others)
      other = fmt::format("{}", g.definition(g.find(other))->clauses[0].body.nodes.size());
  leaf.formula = fmt::format("{}", nest.clause->body.nodes.size());
  return text + print(leaf);
}

Leaf inTheWayOf(const Leaf &other, const Leaf &leaf) {
  Leaf made = other;
  made.formula = leaf.formula, made.clause = leaf.clause;
  made.with = leaf.with, made.then = leaf.then;
  made.location = leaf.location;
  return made;
}

} // namespace netc::schedule
