#include "compiler/schedule/leaf_lowering.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace netc::schedule {

using graph::Combine;
using loop::Operand;

void misfit(const Leaf &leaf, const std::string &what) {
  throw UserError(fmt::format("schedule: leaf '{}': {}", leaf.formula, what));
}

int LeafLowering::position(const std::string &name) const {
  const int p = nest.find(name);
  if (p < 0) misfit(leaf, fmt::format("the formula has no index '{}'", name));
  return p;
}

void LeafLowering::checkSteps(int p) const {
  const std::string &name = nest.positions[p].name;
  std::int64_t before = 0;
  for (const Loop &l : order) {
    if (l.position != p) continue;
    if (before == 1) misfit(leaf, fmt::format("index '{}' must stand once in the order", name));
    if (before > 0 && (l.by >= before || before % l.by != 0))
      misfit(leaf, fmt::format("a step of '{}' by {} does not divide one by {}", name, l.by, before));
    if (l.by > 1 && nest.positions[p].block >= 0 && (nest.positions[p].batch || l.by % loop::lanes != 0))
      misfit(leaf, fmt::format("'{}' lies in blocks of 16, so that it has no steps by {}", name, l.by));
    if (l.by > 1 && p == vector && (p == nest.batch || reducesLanes() || l.by % loop::lanes != 0))
      misfit(leaf, fmt::format("'{}' runs along the lanes, so that it has no steps by {}", name, l.by));
    before = l.by;
  }
  if (before != 1) misfit(leaf, fmt::format("index '{}' must stand once in the order", name));
}

std::vector<Step> withoutRefinements(const std::vector<Step> &order) {
  std::vector<Step> result;
  for (const Step &s : order) {
    if (!result.empty() && result.back().index == s.index) result.pop_back();
    result.push_back(s);
  }
  return result;
}

void LeafLowering::checkOrder() const {
  std::vector<Step> reduced;
  std::string inside; // a result index that stands inside a reduction
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (nest.positions[order[i].position].reduction)
      reduced.push_back(leaf.order[i]);
    else if (!reduced.empty() && inside.empty())
      inside = leaf.order[i].index;
  }
  for (std::size_t p = 0; p < nest.positions.size(); ++p)
    if (!nest.positions[p].name.empty()) checkSteps(static_cast<int>(p));
  if (!inside.empty() || addsSamplesOfTurn()) {
    const bool sums = formula->op == Combine::Sum || formula->op == Combine::Prod;
    if (!sums || reducesLanes() || !leaf.with.empty() || !leaf.then.empty() || context.buffers.of[formula->target] < 0 ||
        !injective(nest))
      misfit(leaf, inside.empty() ? "it cannot go on with its sums turn after turn"
                                  : fmt::format("result index '{}' stands inside a reduction", inside));
  }
  if (reduced.empty()) return;
  for (const Numeric &n : context.schedule.numeric)
    if (n.formula == leaf.formula) {
      if (withoutRefinements(n.order) != withoutRefinements(reduced))
        misfit(leaf, "the order of the reduction differs from the numeric plan");
      if ((reducesLanes() ? leaf.vector : std::string()) != n.lanes)
        misfit(leaf, "the lanes differ from the numeric plan");
      return;
    }
  misfit(leaf, "the numeric plan has no entry for this reduction");
}

void LeafLowering::checkChoices() const {
  for (auto &[name, size] : leaf.tile) {
    const Position &p = nest.positions[position(name)];
    const bool vectors = name == leaf.vector && size % loop::lanes == 0 && !(p.batch && context.alongSamples());
    if (p.reduction || (name == leaf.vector && !vectors) || (p.batch && p.block >= 0 && !vectors) ||
        (p.block >= 0 && !vectors && loop::lanes % size != 0))
      misfit(leaf, fmt::format("'{}' cannot be tiled", name));
    for (const Loop &l : order)
      if (l.position == position(name) && l.by > 1 && l.by % size != 0)
        misfit(leaf, fmt::format("a tile of {} does not divide a step of '{}' by {}", size, name, l.by));
    if (!injective(nest)) misfit(leaf, "results that share elements cannot be tiled");
  }
  for (const std::string &name : leaf.unroll)
    if (!nest.positions[position(name)].reduction)
      misfit(leaf, fmt::format("'{}' is not reduced, so it is not unrolled", name));
  if (!leaf.parallel.empty()) {
    if (position(leaf.parallel) != order.front().position)
      misfit(leaf, "the parallel index must be outermost");
    if (nest.positions[order.front().position].reduction || !injective(nest))
      misfit(leaf, fmt::format("'{}' cannot be shared by threads", leaf.parallel));
  }
  if (context.alongSamples() && (nest.batch < 0 || vector != nest.batch || order.front().position != vector))
    misfit(leaf, "a leaf of a tile must have the batch index outermost and along its lanes");
  if (context.turns) checkTurns();
  else if (context.tile > 0 && !context.alongSamples() && !goesBySamples())
    misfit(leaf, fmt::format("a leaf of a tile by {} must share its samples by {} among the threads", context.tile, context.tile));
  for (const Affine &g : nest.guards) {
    const auto reduces = [&](const Affine::Term &t) { return nest.positions[t.first].reduction; };
    const auto tiled = [&](const Affine::Term &t) { return tileOf(t.first) > 1; };
    if (formula->op != Combine::Assign && std::none_of(g.terms().begin(), g.terms().end(), reduces) &&
        std::any_of(g.terms().begin(), g.terms().end(), tiled))
      misfit(leaf, "a guard on result indices alone must not be tiled");
  }
}

/// A turn has some of the samples, which lie one by one and come first where they are added up.
void LeafLowering::checkTurns() const {
  if (nest.batch < 0 || nest.positions[nest.batch].block >= 0)
    misfit(leaf, "a leaf that takes turns must run over samples that lie one by one");
  if (std::any_of(order.begin(), order.end(), [&](const Loop &l) { return l.position == nest.batch && context.tile % l.by != 0; }) ||
      context.tile % tileOf(nest.batch) != 0)
    misfit(leaf, fmt::format("its steps do not divide the {} samples of a turn", context.tile));
  const auto reduced = std::find_if(order.begin(), order.end(), [&](const Loop &l) { return nest.positions[l.position].reduction; });
  if (addsSamplesOfTurn() && reduced->position != nest.batch)
    misfit(leaf, "a leaf that takes turns must add up sample after sample");
}

/// Its outermost loop takes as many samples at a time as the tile that it stands in.
bool LeafLowering::goesBySamples() const {
  const Loop &first = order.front();
  return nest.batch >= 0 && first.position == nest.batch && nest.positions[nest.batch].name == leaf.parallel &&
         nest.positions[nest.batch].block < 0 && (first.last ? tileOf(nest.batch) : first.by) == context.tile;
}

void LeafLowering::prepare() {
  formula = context.formulas.definition(leaf.formula);
  if (!formula) misfit(leaf, "no such formula");
  if (leaf.clause < 0 || leaf.clause >= static_cast<int>(formula->clauses.size()))
    misfit(leaf, "no such clause");
  nest = makeNest(context.graph, context.schedule.memory, *formula, leaf.clause);
  for (const auto &names : leaf.collapse) {
    std::vector<int> group;
    for (const std::string &n : names)
      group.push_back(position(n));
    if (!canCollapse(nest, group))
      misfit(leaf, fmt::format("({}) is not contiguous everywhere", fmt::join(names, ", ")));
    collapse(nest, group);
    collapsed.push_back(group);
  }
  if (!leaf.vector.empty()) vector = position(leaf.vector);
  if (vector >= 0 && nest.guarded(vector)) misfit(leaf, "a guard depends on the vector index");
  for (const Step &s : leaf.order)
    order.push_back({position(s.index), s.by, true});
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (order[j].position == order[i].position) order[j].last = false;
  checkOrder();
  for (std::size_t i = 0; i < order.size(); ++i)
    if (!nest.positions[order[i].position].reduction) resultEnd = i + 1;
  for (const Position &p : nest.positions)
    ranges.push_back({0, 0, p.extent});
  if (context.turns && nest.batch >= 0) {
    const Affine first = Affine::var(loop::Turn, context.tile);
    ranges[nest.batch] = {0, first, context.tile};
    point.setFirstSample(first);
  }
  guards = nest.guards;
  continues = (formula->op == Combine::Sum || formula->op == Combine::Prod) &&
              (!coversAll(context.graph, *formula) || interruptsReduction(*formula, leaf) || addsSamplesOfTurn());
  point.begin(nest, vector);
  checkChoices();
  if (vector >= 0 && !reducesLanes() && nest.out.coefficient(vector) == 0)
    misfit(leaf, "the result does not move along the vector index");
}

bool interruptsReduction(const graph::Formula &f, const Leaf &leaf) {
  if (leaf.fill) return false;
  const graph::Clause &c = f.clauses[leaf.clause];
  bool reduces = false;
  for (const Step &s : leaf.order) {
    bool reduced = false;
    for (int p : c.reduction())
      reduced |= c.domain[p].name == s.index;
    if (reduces && !reduced) return true;
    reduces |= reduced;
  }
  return false;
}

bool addsInTurns(const graph::Graph &g, const Group &group, const Leaf &leaf) {
  const graph::Formula *f = g.definition(g.find(leaf.formula));
  if (!f || leaf.fill || !group.turns) return false;
  const graph::Clause &c = f->clauses[leaf.clause];
  const std::vector<int> reduced = c.reduction();
  return std::any_of(reduced.begin(), reduced.end(), [&](int p) { return c.domain[p].extent.batch; });
}

std::int64_t LeafLowering::tileOf(int p) const {
  for (auto &[name, size] : leaf.tile)
    if (nest.positions[p].name == name) return size;
  return 1;
}

bool LeafLowering::unrolls(int p) const {
  return std::find(leaf.unroll.begin(), leaf.unroll.end(), nest.positions[p].name) != leaf.unroll.end();
}

loop::Kernel LeafLowering::run() {
  prepare();
  describe();
  loops(0);
  return k.finish();
}

/// The formulas it computes, the schedule, and where they come from.
void LeafLowering::describe() {
  const auto formulaLines = [&](const graph::Formula &f) {
    const graph::Clause &c = f.clauses[&f == formula ? leaf.clause : 0];
    const std::string &name = context.graph.tensors[f.target].name;
    std::vector<std::string> indices, domain;
    for (const Affine &a : c.out)
      indices.push_back(graph::str(c, a));
    for (const graph::Index &i : c.domain)
      domain.push_back(fmt::format("{} < {}", i.name, i.extent.batch ? "N" : std::to_string(i.extent.size)));
    const char *op = f.op == Combine::Assign ? "=" : f.op == Combine::Sum ? "+=" : "=";
    const std::string combine =
        f.op == Combine::Assign || f.op == Combine::Sum ? "" : fmt::format("{} ", graph::name(f.op));
    k.kernel.comment.push_back(fmt::format("{}[{}] {} {}{}", name, fmt::join(indices, ", "), op, combine,
                                           graph::str(context.graph, c, c.body.root)));
    std::string over = fmt::format("  for {}", fmt::join(domain, ", "));
    for (std::size_t g = 0; g < c.guards.size(); ++g)
      over += fmt::format("{}{} >= 0", g ? ", " : " where ", graph::str(c, c.guards[g]));
    k.kernel.comment.push_back(over);
    if (f.location.known())
      k.kernel.comment.push_back(
          fmt::format("  {}{}{}", f.location.strInFolder(), f.origin.empty() ? "" : ", ", f.origin));
  };
  formulaLines(*formula);
  for (const std::string &name : leaf.with)
    if (const graph::Formula *f = context.formulas.definition(name)) formulaLines(*f);
  for (const std::string &name : leaf.then)
    if (const graph::Formula *f = context.formulas.definition(name)) formulaLines(*f);
  k.kernel.comment.push_back("schedule " + print(leaf));
}

bool LeafLowering::known(const Affine &guard) const {
  return std::all_of(guard.terms().begin(), guard.terms().end(),
                     [&](const Affine::Term &t) { return point.isBound(t.first); });
}

void LeafLowering::withKnownGuards(const std::function<void()> &body) {
  std::vector<Affine> conditions;
  std::vector<Affine> rest;
  for (const Affine &g : guards)
    (known(g) ? conditions : rest).push_back(g);
  const std::vector<Affine> before = std::exchange(guards, rest);
  for (Affine &c : conditions)
    c = point.value(c);
  k.when(conditions, body);
  guards = before;
}

loop::Kernel lowerLeaf(const LeafContext &context, const Leaf &leaf) {
  return LeafLowering(context, leaf).run();
}

} // namespace netc::schedule
