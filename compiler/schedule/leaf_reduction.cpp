// Inside the loops over result indices: accumulators, one point, and the results.
#include "compiler/schedule/leaf_lowering.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

namespace netc::schedule {

using graph::Combine;
using loop::Operand;
using loop::RegisterRef;

void LeafLowering::overTile(const std::function<void()> &body) {
  const std::function<void(std::size_t)> element = [&](std::size_t i) {
    if (i == tile.size()) {
      std::vector<Affine> conditions; // guards on tiled indices
      for (const Affine &g : guards)
        if (known(g)) conditions.push_back(point.value(g));
      return k.when(conditions, body);
    }
    const TilePiece &piece = tile[i];
    k.unrolled(nest.positions[piece.position].name + "t", piece.size, [&](const Affine &t) {
      piece.blocks ? bindAt(piece.position, piece.block + t, piece.lane)
                   : bindAt(piece.position, piece.block, piece.lane + t);
      tileIndex.push_back(t);
      element(i + 1);
      tileIndex.pop_back();
    });
    unbind(piece.position);
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
  case Combine::Prod:
    return KernelBuilder::constant(1, type);
  case Combine::Max:
  case Combine::ArgMax:
    return KernelBuilder::constant(
        integer ? std::numeric_limits<std::int32_t>::min() : -std::numeric_limits<double>::infinity(), type);
  case Combine::Min:
  case Combine::ArgMin:
    return KernelBuilder::constant(
        integer ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<double>::infinity(), type);
  case Combine::Assign:
  case Combine::Sum:
    break;
  }
  return KernelBuilder::constant(0, type);
}

void LeafLowering::accumulate() {
  // The elements come in the order of the schedule's tile, whatever that of the loops.
  const std::vector<TilePiece> asLooped = tile;
  const auto place = [&](const TilePiece &piece) {
    return std::find_if(leaf.tile.begin(), leaf.tile.end(), [&](const auto &t) {
             return t.first == nest.positions[piece.position].name;
           }) - leaf.tile.begin();
  };
  std::stable_sort(tile.begin(), tile.end(),
                   [&](const TilePiece &a, const TilePiece &b) { return place(a) < place(b); });
  accumulateTile();
  tile = asLooped;
}

void LeafLowering::accumulateTile() {
  if (formula->op == Combine::Assign) {
    return overTile([&] {
      const Operand value = point.emit();
      store(formula->target, nest.out, value);
      followers(value);
    });
  }
  std::vector<std::int64_t> dims;
  for (const TilePiece &t : tile)
    dims.push_back(t.size);
  const bool ordinals = formula->op == Combine::ArgMax || formula->op == Combine::ArgMin;
  const Operand start = identity();
  acc = k.reg("acc", start.type, dims);
  seen.reset();
  if (ordinals) best = k.reg("best", DType::I32, dims);
  const bool extremum = formula->op != Combine::Sum && formula->op != Combine::Prod;
  if (extremum && !nest.guards.empty() && !coversAll(context.graph, *formula))
    seen = k.reg("seen", DType::I32, dims);
  const std::vector<Affine> waiting = std::exchange(guards, {}); // starts and results have no reduction index
  overTile([&] {
    if (continues && !reducesLanes())
      k.add(point.load(accumulator(acc), formula->target, nest.out));
    else
      k.add(loop::Compute{accumulator(acc), {}, {start}});
    if (ordinals) k.add(loop::Compute{accumulator(best), {}, {KernelBuilder::constant(-1, DType::I32)}});
    if (seen) k.add(loop::Compute{accumulator(*seen), {}, {KernelBuilder::constant(0, DType::I32)}});
  });
  guards = waiting;
  inside = true;
  loops(resultEnd);
  inside = false;
  guards.clear();
  overTile([&] { results(); });
  guards = waiting;
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
    if (const int block = nest.positions[p].block; block >= 0)
      number += Affine::var(block, radix * loop::lanes);
    radix *= nest.positions[p].extent;
  }
  return point.number(number);
}

void LeafLowering::combine(const Operand &value) {
  const RegisterRef target = accumulator(acc);
  const Operand a = KernelBuilder::of(target);
  const DType type = k.kernel.registers[acc.reg].type;
  const auto masked = [&](const Operand &next) {
    if (mask)
      k.add(loop::Compute{target, Fn::Select, {KernelBuilder::of(*mask), next, a}});
    else
      k.add(loop::Compute{target, {}, {next}});
  };
  switch (formula->op) {
  case Combine::Assign:
    return;
  case Combine::Sum:
  case Combine::Prod: {
    const Fn op = formula->op == Combine::Sum ? (type == DType::I32 ? Fn::IAdd : Fn::Add)
                                              : (type == DType::I32 ? Fn::IMul : Fn::Mul);
    if (!mask) return k.add(loop::Compute{target, op, {a, value}});
    return masked(k.compute("next", type, op, {a, value}));
  }
  case Combine::Max:
  case Combine::Min:
  case Combine::ArgMax:
  case Combine::ArgMin: {
    const bool max = formula->op == Combine::Max || formula->op == Combine::ArgMax;
    Operand wins =
        k.compute("wins", DType::Bool, Fn::Lt, max ? std::vector{a, value} : std::vector{value, a});
    if (type == DType::F32) {
      const Operand nan = k.compute("isNan", DType::Bool, Fn::Ne, {value, value});
      wins = k.compute("wins", DType::Bool, Fn::Or, {wins, nan});
    }
    if (formula->op == Combine::Max || formula->op == Combine::Min)
      return masked(k.compute("next", type, Fn::Select, {wins, value, a}));
    const RegisterRef b = accumulator(best);
    const Operand first = k.compute("first", DType::Bool, Fn::Lt,
                                    {KernelBuilder::of(b), KernelBuilder::constant(0, DType::I32)});
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
    const auto op = formula->op == Combine::Sum    ? loop::Reduce::Op::Sum
                    : formula->op == Combine::Prod ? loop::Reduce::Op::Prod
                    : formula->op == Combine::Max  ? loop::Reduce::Op::Max
                                                   : loop::Reduce::Op::Min;
    k.add(loop::Reduce{total, op, value});
    value = KernelBuilder::of(total);
    if (continues) {
      const RegisterRef old = k.reg("old", DType::F32);
      k.add(point.load(old, formula->target, nest.out));
      value = k.compute("sum", DType::F32, formula->op == Combine::Sum ? Fn::Add : Fn::Mul,
                        {KernelBuilder::of(old), value});
    }
  }
  if (seen) {
    const DType type = context.graph.tensors[formula->target].dtype;
    const RegisterRef old = k.reg("old", type);
    k.add(point.load(old, formula->target, nest.out));
    const Operand empty =
        k.compute("empty", DType::Bool, Fn::Eq,
                  {KernelBuilder::of(accumulator(*seen)), KernelBuilder::constant(0, DType::I32)});
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
    const std::vector<int> here = correspondence(context.graph, follower, inRegister);
    if (here.size() != follower.positions.size())
      misfit(leaf, fmt::format("'{}' is not pointwise over it", name));
    for (const std::vector<int> &group : collapsed) {
      std::vector<int> same; // the group, in the follower's numbering
      for (int p : group)
        same.push_back(static_cast<int>(std::find(here.begin(), here.end(), p) - here.begin()));
      if (!canCollapse(follower, same)) misfit(leaf, fmt::format("'{}' cannot be collapsed with it", name));
      collapse(follower, same);
    }
    PointEmitter at = point.follow(follower, here);
    at.known = inRegister;
    const Operand result = at.emit();
    if (context.buffers.of[target] >= 0) k.add(at.store(target, follower.out, result));
    std::vector<int> dims = dimensionPositions(f->clauses[0]);
    for (int &d : dims)
      d = d < 0 ? -1 : here[d];
    inRegister[target] = {result, dims};
  }
}

} // namespace netc::schedule
