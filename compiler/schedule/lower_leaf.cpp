#include "compiler/schedule/lower_leaf.h"

#include "compiler/schedule/emit.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>

namespace netc::schedule {

using graph::Combine;
using loop::Operand;
using loop::RegisterRef;

namespace {

[[noreturn]] void misfit(const Leaf &leaf, const std::string &what) {
  throw UserError(fmt::format("schedule: leaf '{}': {}", leaf.formula, what));
}

/// Lowers one leaf. The methods follow the nest from outside in: loops over result indices, the accumulators, the
/// loops over reduction indices, one point, and the results.
class LeafLowering {
public:
  LeafLowering(const LeafContext &context, const Leaf &leaf)
      : context(context), leaf(leaf), k(leaf.clause == 0 ? leaf.formula : fmt::format("{}.{}", leaf.formula, leaf.clause)),
        point(context.graph, context.buffers, k) {}

  loop::Kernel run();

private:
  void prepare();
  void describe();
  void checkOrder() const;
  void checkChoices() const;
  int position(const std::string &name) const;
  bool reducesLanes() const { return vector >= 0 && nest.positions[vector].reduction; }
  std::int64_t tileOf(int p) const;
  bool unrolls(int p) const;

  void resultLoops(std::size_t depth);
  void vectorLoop(std::size_t depth);
  void batchBlocks(int nb, const std::function<void()> &body);
  void tiledLoop(std::size_t depth, int p);
  void scalarBatchLoops(int p, const std::function<void()> &body);
  void bound(int p, const std::function<void()> &body); // after p got its value: guards that are now known
  bool known(const Affine &guard) const;

  void accumulate();
  void reductionLoops(std::size_t depth);
  void lanePartials(std::size_t depth);
  void overTile(const std::function<void()> &body);
  void onePoint();
  void combine(const Operand &value);
  void results();
  void store(int tensor, const Affine &address, const Operand &value);
  void followers(const Operand &value);

  RegisterRef accumulator(const RegisterRef &array) const;
  Operand identity() const;
  Operand ordinal();

  const LeafContext &context;
  const Leaf &leaf;
  KernelBuilder k;
  const graph::Formula *formula = nullptr;
  Nest nest;
  PointEmitter point; // the values of the indices at the current point
  std::vector<std::vector<int>> collapsed;
  int vector = -1;
  std::vector<int> order;
  std::size_t resultCount = 0; // of the indices in `order`
  std::vector<Affine> guards;  // not yet placed
  struct TilePiece {
    int position;
    std::int64_t size;
    Affine base;
  };
  std::vector<TilePiece> tile; // the current piece of each tiled index
  std::vector<Affine> tileIndex;                  // the current element, one for each entry of tile
  RegisterRef acc, best;       // best: the ordinal of argmax
  std::optional<RegisterRef> mask;
  bool continues = false;      // the accumulators start with what the target holds
  std::optional<RegisterRef> seen; // a max or min: 1 once its window has a point; without one the target keeps its value
};

int LeafLowering::position(const std::string &name) const {
  const int p = nest.find(name);
  if (p < 0) misfit(leaf, fmt::format("the formula has no index '{}'", name));
  return p;
}

void LeafLowering::checkOrder() const {
  std::vector<std::string> reduced;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (nest.positions[order[i]].reduction) reduced.push_back(leaf.order[i]);
    else if (!reduced.empty()) misfit(leaf, fmt::format("result index '{}' stands inside a reduction", leaf.order[i]));
  }
  for (std::size_t p = 0; p < nest.positions.size(); ++p)
    if (!nest.positions[p].name.empty() && std::count(order.begin(), order.end(), static_cast<int>(p)) != 1)
      misfit(leaf, fmt::format("index '{}' must stand once in the order", nest.positions[p].name));
  if (reduced.empty()) return;
  for (const Numeric &n : context.schedule.numeric)
    if (n.formula == leaf.formula) {
      if (n.order != reduced) misfit(leaf, "the order of the reduction differs from the numeric plan");
      if ((reducesLanes() ? leaf.vector : std::string()) != n.lanes) misfit(leaf, "the lanes differ from the numeric plan");
      return;
    }
  misfit(leaf, "the numeric plan has no entry for this reduction");
}

void LeafLowering::checkChoices() const {
  for (auto &[name, size] : leaf.tile) {
    const Position &p = nest.positions[position(name)];
    if (p.reduction || p.batch || name == leaf.vector) misfit(leaf, fmt::format("'{}' cannot be tiled", name));
    if (!injective(nest)) misfit(leaf, "results that share elements cannot be tiled");
  }
  for (const std::string &name : leaf.unroll)
    if (!nest.positions[position(name)].reduction) misfit(leaf, fmt::format("'{}' is not reduced, so it is not unrolled", name));
  if (!leaf.parallel.empty()) {
    if (position(leaf.parallel) != order.front()) misfit(leaf, "the parallel index must be outermost");
    if (nest.positions[order.front()].reduction || !injective(nest)) misfit(leaf, fmt::format("'{}' cannot be shared by threads", leaf.parallel));
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
  if (leaf.clause < 0 || leaf.clause >= static_cast<int>(formula->clauses.size())) misfit(leaf, "no such clause");
  nest = makeNest(context.graph, context.schedule.memory, *formula, leaf.clause);
  for (const auto &names : leaf.collapse) {
    std::vector<int> group;
    for (const std::string &n : names) group.push_back(position(n));
    if (!canCollapse(nest, group)) misfit(leaf, fmt::format("({}) is not contiguous everywhere", fmt::join(names, ", ")));
    collapse(nest, group);
    collapsed.push_back(group);
  }
  if (!leaf.vector.empty()) vector = position(leaf.vector);
  if (vector >= 0 && nest.guarded(vector))
    misfit(leaf, "a guard depends on the vector index");
  for (const std::string &n : leaf.order) order.push_back(position(n));
  checkOrder();
  while (resultCount < order.size() && !nest.positions[order[resultCount]].reduction) ++resultCount;
  guards = nest.guards;
  continues = (formula->op == Combine::Sum || formula->op == Combine::Prod) && !coversAll(context.graph, *formula);
  point.begin(nest, vector);
  checkChoices();
  if (vector >= 0 && !reducesLanes() && nest.out.coefficient(vector) == 0) misfit(leaf, "the result does not move along the vector index");
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
    for (const Affine &a : c.out) indices.push_back(graph::str(c, a));
    for (const graph::Index &i : c.domain) domain.push_back(fmt::format("{} < {}", i.name, i.extent.batch ? "N" : std::to_string(i.extent.size)));
    const char *op = f.op == Combine::Assign ? "=" : f.op == Combine::Sum ? "+=" : "=";
    const std::string combine = f.op == Combine::Assign || f.op == Combine::Sum ? "" : fmt::format("{} ", graph::name(f.op));
    k.kernel.comment.push_back(fmt::format("{}[{}] {} {}{}", name, fmt::join(indices, ", "), op, combine, graph::str(context.graph, c, c.body.root)));
    std::string over = fmt::format("  for {}", fmt::join(domain, ", "));
    for (std::size_t g = 0; g < c.guards.size(); ++g) over += fmt::format("{}{} >= 0", g ? ", " : " where ", graph::str(c, c.guards[g]));
    k.kernel.comment.push_back(over);
    if (f.location.known()) k.kernel.comment.push_back(fmt::format("  {}{}{}", f.location.str(), f.origin.empty() ? "" : ", ", f.origin));
  };
  formulaLines(*formula);
  for (const std::string &name : leaf.then)
    if (const int t = context.graph.find(name); t >= 0 && context.graph.definition(t)) formulaLines(*context.graph.definition(t));
  k.kernel.comment.push_back("schedule " + print(leaf));
}

bool LeafLowering::known(const Affine &guard) const {
  return std::all_of(guard.terms().begin(), guard.terms().end(),
                     [&](const Affine::Term &t) { return point.isBound(t.first); });
}

void LeafLowering::bound(int, const std::function<void()> &body) {
  std::vector<Affine> conditions;
  std::vector<Affine> rest;
  for (const Affine &g : guards) (known(g) ? conditions : rest).push_back(g);
  const std::vector<Affine> before = std::exchange(guards, rest);
  for (Affine &c : conditions) c = point.value(c);
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
    bound(nest.batch, body);
  } else {
    k.when({rest - loop::lanes}, [&] { bound(nest.batch, body); });
    point.setActive(rest);
    k.when({Affine(loop::lanes - 1) - rest}, [&] { bound(nest.batch, body); });
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
    bound(vector, inner);
    point.setActive(std::nullopt);
    point.unbind(vector);
  };
  if (parallel && full > 0) {
    const int var = k.kernel.parallel = k.variable(p.name);
    k.kernel.parallelExtent = full + (rest > 0);
    const Affine left = Affine(full - 1) - Affine::var(var);
    k.when(rest > 0 ? std::vector<Affine>{left} : std::vector<Affine>{}, [&] { piece(Affine::var(var, loop::lanes), std::nullopt); });
    if (rest > 0) k.when({left * -1 - 1}, [&] { piece(full * loop::lanes, rest); });
    return;
  }
  if (full > 0) k.loop(p.name, 0, full, 1, false, [&](int v) { piece(Affine::var(v, loop::lanes), std::nullopt); });
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
    bound(p, [&] { resultLoops(depth + 1); });
    point.unbind(p);
  };
  if (leaf.parallel == pos.name) {
    if (rest != 0) misfit(leaf, "the tile of the parallel index must divide it");
    k.kernel.parallel = k.variable(pos.name);
    k.kernel.parallelExtent = pos.extent / size;
    return piece(Affine::var(k.kernel.parallel, size), size);
  }
  if (pos.extent == size) piece(0, size);
  else k.loop(pos.name, 0, pos.extent - rest, size, false, [&](int v) { piece(Affine::var(v), size); });
  if (rest > 0) piece(pos.extent - rest, rest);
}

/// Sample by sample, where the samples cannot stand side by side.
void LeafLowering::scalarBatchLoops(int p, const std::function<void()> &body) {
  k.loop("nb", 0, Affine::var(loop::Blocks), 1, false, [&](int nb) {
    k.loop(nest.positions[p].name, 0, loop::lanes, 1, false, [&](int lane) {
      point.bind(nest.block, Affine::var(nb));
      point.bind(p, Affine::var(lane));
      const Affine sample = Affine::var(nb, loop::lanes) + Affine::var(lane);
      k.when({Affine::var(loop::Count) - sample - 1}, [&] { bound(p, body); });
      point.unbind(p);
      point.unbind(nest.block);
    });
  });
}

void LeafLowering::resultLoops(std::size_t depth) {
  if (depth == resultCount) return accumulate();
  const int p = order[depth];
  if (p == vector) vectorLoop(depth);
  else if (p == nest.batch) scalarBatchLoops(p, [&] { resultLoops(depth + 1); });
  else tiledLoop(depth, p);
}

void LeafLowering::overTile(const std::function<void()> &body) {
  const std::function<void(std::size_t)> element = [&](std::size_t i) {
    if (i == tile.size()) {
      std::vector<Affine> conditions; // guards on tiled indices
      for (const Affine &g : guards)
        if (known(g)) conditions.push_back(point.value(g));
      return k.when(conditions, body);
    }
    const auto &[p, size, base] = tile[i];
    k.unrolled(nest.positions[p].name + "t", size, [&, p = p, base = base](Affine t) {
      point.bind(p, base + t);
      tileIndex.push_back(t);
      element(i + 1);
      tileIndex.pop_back();
    });
    point.unbind(p);
  };
  element(0);
}

RegisterRef LeafLowering::accumulator(const RegisterRef &array) const {
  RegisterRef r = array;
  r.index = tileIndex;
  return r;
}

Operand LeafLowering::identity() const {
  const DType type = formula->clauses[leaf.clause].body.nodes[formula->clauses[leaf.clause].body.root].dtype;
  const bool integer = type == DType::I32;
  switch (formula->op) {
  case Combine::Prod: return KernelBuilder::constant(1, type);
  case Combine::Max: case Combine::ArgMax:
    return KernelBuilder::constant(integer ? std::numeric_limits<std::int32_t>::min() : -std::numeric_limits<double>::infinity(), type);
  case Combine::Min: case Combine::ArgMin:
    return KernelBuilder::constant(integer ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<double>::infinity(), type);
  case Combine::Assign: case Combine::Sum: break;
  }
  return KernelBuilder::constant(0, type);
}

void LeafLowering::accumulate() {
  if (formula->op == Combine::Assign) {
    return overTile([&] {
      const Operand value = point.emit();
      store(formula->target, nest.out, value);
      followers(value);
    });
  }
  std::vector<std::int64_t> dims;
  for (const TilePiece &t : tile) dims.push_back(t.size);
  const bool ordinals = formula->op == Combine::ArgMax || formula->op == Combine::ArgMin;
  const Operand start = identity();
  acc = k.reg("acc", start.type, dims);
  seen.reset();
  if (ordinals) best = k.reg("best", DType::I32, dims);
  const bool extremum = formula->op != Combine::Sum && formula->op != Combine::Prod;
  if (extremum && !nest.guards.empty() && !coversAll(context.graph, *formula)) seen = k.reg("seen", DType::I32, dims);
  const std::vector<Affine> waiting = std::exchange(guards, {}); // starts and results have no reduction index
  overTile([&] {
    if (continues && !reducesLanes()) k.add(point.load(accumulator(acc), formula->target, nest.out));
    else k.add(loop::Compute{accumulator(acc), {}, {start}});
    if (ordinals) k.add(loop::Compute{accumulator(best), {}, {KernelBuilder::constant(-1, DType::I32)}});
    if (seen) k.add(loop::Compute{accumulator(*seen), {}, {KernelBuilder::constant(0, DType::I32)}});
  });
  guards = waiting;
  reductionLoops(resultCount);
  guards.clear();
  overTile([&] { results(); });
  guards = waiting;
}

void LeafLowering::reductionLoops(std::size_t depth) {
  if (depth == order.size()) return overTile([&] { onePoint(); });
  const int p = order[depth];
  const auto inner = [&] { reductionLoops(depth + 1); };
  if (p == vector) return lanePartials(depth);
  if (p == nest.batch) return scalarBatchLoops(p, inner);
  const Position &pos = nest.positions[p];
  k.loop(pos.name, 0, pos.extent, 1, unrolls(p), [&](int v) {
    point.bind(p, Affine::var(v));
    bound(p, inner);
    point.unbind(p);
  });
}

/// The vector index is reduced: 16 partial sums; lanes beyond the end keep their value.
void LeafLowering::lanePartials(std::size_t depth) {
  const auto inner = [&] { bound(vector, [&] { reductionLoops(depth + 1); }); };
  const auto masked = [&](const Affine &active) {
    mask = k.reg("mask", DType::Bool);
    k.add(loop::LaneMask{*mask, active});
    point.setActive(active);
    inner();
    point.setActive(std::nullopt);
    mask.reset();
  };
  if (vector == nest.batch) {
    const auto blocks = [&](int nb, const std::function<void()> &body) {
      point.bind(nest.block, Affine::var(nb));
      point.bind(nest.batch, 0);
      body();
      point.unbind(nest.batch);
      point.unbind(nest.block);
    };
    k.loop("nb", 0, Affine::var(loop::FullBlocks), 1, false, [&](int nb) { blocks(nb, inner); });
    k.loop("nb", Affine::var(loop::FullBlocks), Affine::var(loop::Blocks), 1, false, [&](int nb) {
      blocks(nb, [&] { masked(Affine::var(loop::Count) - Affine::var(nb, loop::lanes)); });
    });
    return;
  }
  const Position &pos = nest.positions[vector];
  const std::int64_t full = pos.extent / loop::lanes, rest = pos.extent % loop::lanes;
  if (full > 0)
    k.loop(pos.name, 0, full, 1, unrolls(vector), [&](int v) {
      point.bind(vector, Affine::var(v, loop::lanes));
      inner();
      point.unbind(vector);
    });
  if (rest > 0) {
    point.bind(vector, full * loop::lanes);
    masked(rest);
    point.unbind(vector);
  }
}

void LeafLowering::onePoint() {
  const graph::Body &body = nest.clause->body;
  const graph::Node &root = body.nodes[body.root];
  const RegisterRef a = accumulator(acc);
  if (formula->op == Combine::Sum && root.kind == graph::Node::Kind::Call && root.fn == Fn::Mul) {
    const Operand x = point.emit(root.args[0]), y = point.emit(root.args[1]);
    if (!mask) return k.add(loop::Compute{a, Fn::Fma, {x, y, KernelBuilder::of(a)}});
    const Operand next = k.compute("next", DType::F32, Fn::Fma, {x, y, KernelBuilder::of(a)});
    return k.add(loop::Compute{a, Fn::Select, {KernelBuilder::of(*mask), next, KernelBuilder::of(a)}});
  }
  if (seen) k.add(loop::Compute{accumulator(*seen), {}, {KernelBuilder::constant(1, DType::I32)}});
  combine(point.emit());
}

Operand LeafLowering::ordinal() {
  Affine number;
  std::int64_t radix = 1;
  for (std::size_t p = nest.clause->domain.size(); p-- > 0;) {
    if (!nest.positions[p].reduction) continue;
    number += Affine::var(static_cast<int>(p), radix);
    if (nest.positions[p].batch) number += Affine::var(nest.block, radix * loop::lanes);
    radix *= nest.positions[p].extent;
  }
  return point.number(number);
}

void LeafLowering::combine(const Operand &value) {
  const RegisterRef target = accumulator(acc);
  const Operand a = KernelBuilder::of(target);
  const DType type = k.kernel.registers[acc.reg].type;
  const auto masked = [&](const Operand &next) {
    if (mask) k.add(loop::Compute{target, Fn::Select, {KernelBuilder::of(*mask), next, a}});
    else k.add(loop::Compute{target, {}, {next}});
  };
  switch (formula->op) {
  case Combine::Assign: return;
  case Combine::Sum:
  case Combine::Prod: {
    const Fn op = formula->op == Combine::Sum ? (type == DType::I32 ? Fn::IAdd : Fn::Add) : (type == DType::I32 ? Fn::IMul : Fn::Mul);
    if (!mask) return k.add(loop::Compute{target, op, {a, value}});
    return masked(k.compute("next", type, op, {a, value}));
  }
  case Combine::Max: case Combine::Min: case Combine::ArgMax: case Combine::ArgMin: {
    const bool max = formula->op == Combine::Max || formula->op == Combine::ArgMax;
    Operand wins = k.compute("wins", DType::Bool, Fn::Lt, max ? std::vector{a, value} : std::vector{value, a});
    if (type == DType::F32) {
      const Operand nan = k.compute("isNan", DType::Bool, Fn::Ne, {value, value});
      wins = k.compute("wins", DType::Bool, Fn::Or, {wins, nan});
    }
    if (formula->op == Combine::Max || formula->op == Combine::Min)
      return masked(k.compute("next", type, Fn::Select, {wins, value, a}));
    const RegisterRef b = accumulator(best);
    const Operand first = k.compute("first", DType::Bool, Fn::Lt, {KernelBuilder::of(b), KernelBuilder::constant(0, DType::I32)});
    wins = k.compute("wins", DType::Bool, Fn::Or, {wins, first});
    k.add(loop::Compute{target, Fn::Select, {wins, value, a}});
    k.add(loop::Compute{b, Fn::Select, {wins, ordinal(), KernelBuilder::of(b)}});
  }
  }
}

void LeafLowering::results() {
  const bool ordinals = formula->op == Combine::ArgMax || formula->op == Combine::ArgMin;
  Operand value = KernelBuilder::of(accumulator(ordinals ? best : acc));
  if (reducesLanes()) {
    const RegisterRef total = k.reg("total", k.kernel.registers[acc.reg].type);
    const auto op = formula->op == Combine::Sum ? loop::Reduce::Op::Sum : formula->op == Combine::Prod ? loop::Reduce::Op::Prod
                  : formula->op == Combine::Max ? loop::Reduce::Op::Max : loop::Reduce::Op::Min;
    k.add(loop::Reduce{total, op, value});
    value = KernelBuilder::of(total);
    if (continues) {
      const RegisterRef old = k.reg("old", DType::F32);
      k.add(point.load(old, formula->target, nest.out));
      value = k.compute("sum", DType::F32, formula->op == Combine::Sum ? Fn::Add : Fn::Mul, {KernelBuilder::of(old), value});
    }
  }
  if (seen) {
    const DType type = context.graph.tensors[formula->target].dtype;
    const RegisterRef old = k.reg("old", type);
    k.add(point.load(old, formula->target, nest.out));
    const Operand empty = k.compute("empty", DType::Bool, Fn::Eq, {KernelBuilder::of(accumulator(*seen)), KernelBuilder::constant(0, DType::I32)});
    value = k.compute("kept", type, Fn::Select, {empty, KernelBuilder::of(old), value});
  }
  store(formula->target, nest.out, value);
  followers(value);
}

void LeafLowering::store(int tensor, const Affine &address, const Operand &value) {
  if (context.buffers.of[tensor] >= 0) k.add(point.store(tensor, address, value));
}

/// The pointwise formulas that ride along: each of their indices is the result's index in the same dimension.
void LeafLowering::followers(const Operand &value) {
  std::map<int, InRegister> inRegister{{formula->target, {value, dimensionPositions(*nest.clause)}}};
  for (const std::string &name : leaf.then) {
    const int target = context.graph.find(name);
    const graph::Formula *f = target < 0 ? nullptr : context.graph.definition(target);
    if (!f) misfit(leaf, fmt::format("no formula '{}' to follow", name));
    Nest follower = makeNest(context.graph, context.schedule.memory, *f, 0);
    const std::vector<int> here = correspondence(follower, inRegister);
    if (here.size() != follower.positions.size()) misfit(leaf, fmt::format("'{}' is not pointwise over it", name));
    for (const std::vector<int> &group : collapsed) {
      std::vector<int> same; // the group, in the follower's numbering
      for (int p : group) same.push_back(static_cast<int>(std::find(here.begin(), here.end(), p) - here.begin()));
      if (!canCollapse(follower, same)) misfit(leaf, fmt::format("'{}' cannot be collapsed with it", name));
      collapse(follower, same);
    }
    PointEmitter at = point.follow(follower, here);
    at.known = inRegister;
    const Operand result = at.emit();
    if (context.buffers.of[target] >= 0) k.add(at.store(target, follower.out, result));
    std::vector<int> dims = dimensionPositions(f->clauses[0]);
    for (int &d : dims) d = d < 0 ? -1 : here[d];
    inRegister[target] = {result, dims};
  }
}

} // namespace

loop::Kernel lowerLeaf(const LeafContext &context, const Leaf &leaf) { return LeafLowering(context, leaf).run(); }

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
