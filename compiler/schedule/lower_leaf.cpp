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

void LeafLowering::checkOrder() const {
  std::vector<std::string> reduced;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (nest.positions[order[i]].reduction)
      reduced.push_back(leaf.order[i]);
    else if (!reduced.empty())
      misfit(leaf, fmt::format("result index '{}' stands inside a reduction", leaf.order[i]));
  }
  for (std::size_t p = 0; p < nest.positions.size(); ++p)
    if (!nest.positions[p].name.empty() && std::count(order.begin(), order.end(), static_cast<int>(p)) != 1)
      misfit(leaf, fmt::format("index '{}' must stand once in the order", nest.positions[p].name));
  if (reduced.empty()) return;
  for (const Numeric &n : context.schedule.numeric)
    if (n.formula == leaf.formula) {
      if (n.order != reduced) misfit(leaf, "the order of the reduction differs from the numeric plan");
      if ((reducesLanes() ? leaf.vector : std::string()) != n.lanes)
        misfit(leaf, "the lanes differ from the numeric plan");
      return;
    }
  misfit(leaf, "the numeric plan has no entry for this reduction");
}

void LeafLowering::checkChoices() const {
  for (auto &[name, size] : leaf.tile) {
    const Position &p = nest.positions[position(name)];
    if (p.reduction || p.batch || name == leaf.vector)
      misfit(leaf, fmt::format("'{}' cannot be tiled", name));
    if (!injective(nest)) misfit(leaf, "results that share elements cannot be tiled");
  }
  for (const std::string &name : leaf.unroll)
    if (!nest.positions[position(name)].reduction)
      misfit(leaf, fmt::format("'{}' is not reduced, so it is not unrolled", name));
  if (!leaf.parallel.empty()) {
    if (position(leaf.parallel) != order.front()) misfit(leaf, "the parallel index must be outermost");
    if (nest.positions[order.front()].reduction || !injective(nest))
      misfit(leaf, fmt::format("'{}' cannot be shared by threads", leaf.parallel));
  }
  if (context.tiled && (nest.batch < 0 || vector != nest.batch || order.front() != vector))
    misfit(leaf, "a leaf of a tile must have the batch index outermost and along its lanes");
  for (const Affine &g : nest.guards) {
    const auto reduces = [&](const Affine::Term &t) { return nest.positions[t.first].reduction; };
    const auto tiled = [&](const Affine::Term &t) { return tileOf(t.first) > 1; };
    if (formula->op != Combine::Assign && std::none_of(g.terms().begin(), g.terms().end(), reduces) &&
        std::any_of(g.terms().begin(), g.terms().end(), tiled))
      misfit(leaf, "a guard on result indices alone must not be tiled");
  }
}

void LeafLowering::prepare() {
  const int target = context.graph.find(leaf.formula);
  formula = target < 0 ? nullptr : context.graph.definition(target);
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
  for (const std::string &n : leaf.order)
    order.push_back(position(n));
  checkOrder();
  while (resultCount < order.size() && !nest.positions[order[resultCount]].reduction)
    ++resultCount;
  guards = nest.guards;
  continues =
      (formula->op == Combine::Sum || formula->op == Combine::Prod) && !coversAll(context.graph, *formula);
  point.begin(nest, vector);
  checkChoices();
  if (vector >= 0 && !reducesLanes() && nest.out.coefficient(vector) == 0)
    misfit(leaf, "the result does not move along the vector index");
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
  resultLoops(0);
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
          fmt::format("  {}{}{}", f.location.str(), f.origin.empty() ? "" : ", ", f.origin));
  };
  formulaLines(*formula);
  for (const std::string &name : leaf.then)
    if (const int t = context.graph.find(name); t >= 0 && context.graph.definition(t))
      formulaLines(*context.graph.definition(t));
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

/// Runs body for the block of samples nb, once for full blocks and once for the last, partial one, where that
/// matters: the caller's arrays end at `count`.
void LeafLowering::batchBlocks(int nb, const std::function<void()> &body) {
  point.bind(nest.block, Affine::var(nb));
  point.bind(nest.batch, 0);
  const Affine rest = Affine::var(loop::Count) - Affine::var(nb, loop::lanes);
  if (!point.touchesCallersMemory(leaf.then)) {
    withKnownGuards(body);
  } else {
    k.when({rest - loop::lanes}, [&] { withKnownGuards(body); });
    point.setActive(rest);
    k.when({Affine(loop::lanes - 1) - rest}, [&] { withKnownGuards(body); });
    point.setActive(std::nullopt);
  }
  point.unbind(nest.block);
  point.unbind(nest.batch);
}

void LeafLowering::vectorLoop(std::size_t depth) {
  const auto inner = [&] { resultLoops(depth + 1); };
  const bool parallel = leaf.parallel == leaf.vector || (context.tiled && vector == nest.batch);
  if (vector == nest.batch) {
    if (parallel) {
      k.kernel.parallel = k.variable("nb");
      k.kernel.parallelExtent = Affine::var(loop::Blocks);
      return batchBlocks(k.kernel.parallel, inner);
    }
    return k.loop("nb", 0, Affine::var(loop::Blocks), 1, false, [&](int nb) { batchBlocks(nb, inner); });
  }
  const Position &p = nest.positions[vector];
  const std::int64_t full = p.extent / loop::lanes, rest = p.extent % loop::lanes;
  const auto piece = [&](Affine base, std::optional<Affine> active) {
    point.bind(vector, std::move(base));
    point.setActive(std::move(active));
    withKnownGuards(inner);
    point.setActive(std::nullopt);
    point.unbind(vector);
  };
  if (parallel && full > 0) {
    const int var = k.kernel.parallel = k.variable(p.name);
    k.kernel.parallelExtent = full + (rest > 0);
    const Affine left = Affine(full - 1) - Affine::var(var);
    k.when(rest > 0 ? std::vector<Affine>{left} : std::vector<Affine>{},
           [&] { piece(Affine::var(var, loop::lanes), std::nullopt); });
    if (rest > 0) k.when({left * -1 - 1}, [&] { piece(full * loop::lanes, rest); });
    return;
  }
  if (full > 0)
    k.loop(p.name, 0, full, 1, false, [&](int v) { piece(Affine::var(v, loop::lanes), std::nullopt); });
  if (rest > 0) piece(full * loop::lanes, rest);
}

/// Full register tiles, then a smaller one for the rest.
void LeafLowering::tiledLoop(std::size_t depth, int p) {
  const Position &pos = nest.positions[p];
  const std::int64_t size = std::min(tileOf(p), pos.extent), rest = pos.extent % size;
  const auto piece = [&](Affine base, std::int64_t extent) {
    if (size > 1) { // bound element by element
      tile.push_back({p, extent, std::move(base)});
      resultLoops(depth + 1);
      return tile.pop_back();
    }
    point.bind(p, std::move(base));
    withKnownGuards([&] { resultLoops(depth + 1); });
    point.unbind(p);
  };
  if (leaf.parallel == pos.name) {
    if (rest != 0) misfit(leaf, "the tile of the parallel index must divide it");
    k.kernel.parallel = k.variable(pos.name);
    k.kernel.parallelExtent = pos.extent / size;
    return piece(Affine::var(k.kernel.parallel, size), size);
  }
  if (pos.extent == size)
    piece(0, size);
  else
    k.loop(pos.name, 0, pos.extent - rest, size, false, [&](int v) { piece(Affine::var(v), size); });
  if (rest > 0) piece(pos.extent - rest, rest);
}

/// Sample by sample, where the samples cannot stand side by side.
void LeafLowering::scalarBatchLoops(int p, const std::function<void()> &body) {
  k.loop("nb", 0, Affine::var(loop::Blocks), 1, false, [&](int nb) {
    k.loop(nest.positions[p].name, 0, loop::lanes, 1, false, [&](int lane) {
      point.bind(nest.block, Affine::var(nb));
      point.bind(p, Affine::var(lane));
      const Affine sample = Affine::var(nb, loop::lanes) + Affine::var(lane);
      k.when({Affine::var(loop::Count) - sample - 1}, [&] { withKnownGuards(body); });
      point.unbind(p);
      point.unbind(nest.block);
    });
  });
}

void LeafLowering::resultLoops(std::size_t depth) {
  if (depth == resultCount) return accumulate();
  const int p = order[depth];
  if (p == vector)
    vectorLoop(depth);
  else if (p == nest.batch)
    scalarBatchLoops(p, [&] { resultLoops(depth + 1); });
  else
    tiledLoop(depth, p);
}

loop::Kernel lowerLeaf(const LeafContext &context, const Leaf &leaf) {
  return LeafLowering(context, leaf).run();
}

loop::Kernel lowerFill(const LeafContext &context, const graph::Formula &f) {
  const std::string &name = context.graph.tensors[f.target].name;
  KernelBuilder k(name + ".fill");
  const int buffer = context.buffers.of[f.target];
  const loop::Buffer &b = context.buffers.list[buffer];
  const double value = f.otherwise ? *f.otherwise : f.op == Combine::Prod ? 1 : 0;
  k.kernel.comment.push_back(fmt::format("{} = {} everywhere", name, value));
  const Operand operand = KernelBuilder::constant(value, b.type);
  const auto fill = [&](const Affine &base, std::int64_t size) {
    if (size >= loop::lanes)
      k.loop("i", 0, size / loop::lanes, 1, false, [&](int i) {
        k.add(loop::Store{buffer, base + Affine::var(i, loop::lanes), 1, operand, {}});
      });
    if (size % loop::lanes != 0)
      k.add(loop::Store{buffer, base + (size - size % loop::lanes), 1, operand, Affine(size % loop::lanes)});
  };
  if (!blockedLayout(context.graph, context.schedule.memory, f.target)) {
    fill(0, b.size);
    return k.finish();
  }
  const std::int64_t blocks = (context.graph.batch + loop::lanes - 1) / loop::lanes;
  k.kernel.parallel = k.variable("nb");
  k.kernel.parallelExtent = Affine::var(loop::Blocks);
  fill(Affine::var(k.kernel.parallel, b.size / blocks), b.size / blocks);
  return k.finish();
}

} // namespace netc::schedule
