// Inside the loops over result indices: accumulators, one point, and the results.
#include "compiler/loop/walk.h"
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

bool LeafLowering::Reduction::extremum() const {
  return formula->op != Combine::Sum && formula->op != Combine::Prod;
}
bool LeafLowering::Reduction::ordinals() const {
  return givesOrdinals(formula->op);
}

Operand LeafLowering::identity(const Reduction &r) const {
  const graph::Body &body = r.nest.clause->body;
  const DType type = body.nodes[body.root].dtype;
  const bool integer = type == DType::I32;
  switch (r.formula->op) {
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
  const auto placeOf = [&](const TilePiece &piece) {
    return std::find_if(leaf.tile.begin(), leaf.tile.end(), [&](const auto &t) {
             return t.first == nest.positions[piece.position].name;
           }) - leaf.tile.begin();
  };
  std::stable_sort(tile.begin(), tile.end(),
                   [&](const TilePiece &a, const TilePiece &b) { return placeOf(a) < placeOf(b); });
  accumulateTile();
  tile = asLooped;
}

/// The leaf's own and those of its `with`.
void LeafLowering::addReductions() {
  reductions.clear();
  reductions.push_back({formula, nest, {}, {}});
  for (const std::string &name : leaf.with) {
    const graph::Formula *f = context.formulas.definition(name);
    if (!f || f->clauses.size() != 1) misfit(leaf, fmt::format("no formula '{}' to compute with it", name));
    Nest other = makeNest(context.graph, context.schedule.memory, *f, 0);
    std::vector<int> here = samePoints(context.graph, context.schedule, nest, other);
    if (here.empty() || continues || !coversAll(context.graph, *f))
      misfit(leaf, fmt::format("'{}' does not run over the same points", name));
    reductions.push_back({f, std::move(other), std::move(here), {}});
  }
  for (Reduction &r : reductions)
    for (std::size_t i = 0; i < reductions.size() && r.ordinals(); ++i) {
      const Combine extremum = r.formula->op == Combine::ArgMax ? Combine::Max : Combine::Min;
      if (reductions[i].formula->op == extremum && sameValues(r, reductions[i])) r.extremumOf = static_cast<int>(i);
    }
}

/// Whether both combine the same values, point by point.
bool LeafLowering::sameValues(const Reduction &a, const Reduction &b) {
  const auto inLeaf = [](const Reduction &r) { // its nodes, over the positions of the leaf's nest
    graph::Body body;
    body.root = body.copy(r.nest.clause->body, r.nest.clause->body.root,
                          [&](int p) { return Affine::var(r.here.empty() ? p : r.here[p]); });
    return body;
  };
  return inLeaf(a).nodes == inLeaf(b).nodes;
}

PointEmitter LeafLowering::emitter(const Reduction &r) const {
  return r.here.empty() ? point : point.follow(r.nest, r.here);
}

void LeafLowering::declare(Reduction &r, const std::vector<std::int64_t> &dims) {
  r.acc = r.extremumOf < 0 ? k.reg("acc", identity(r).type, dims) : reductions[r.extremumOf].acc;
  if (r.ordinals()) r.best = k.reg("best", DType::I32, dims);
  if (r.extremum() && !r.nest.guards.empty() && !coversAll(context.graph, *r.formula))
    r.seen = k.reg("seen", DType::I32, dims);
}

void LeafLowering::start(const Reduction &r) {
  const auto constant = [](double v) { return KernelBuilder::constant(v, DType::I32); };
  if (continues && !reducesLanes())
    k.add(point.load(accumulator(r.acc), r.formula->target, r.nest.out));
  else if (r.extremumOf < 0)
    k.add(loop::Compute{accumulator(r.acc), {}, {identity(r)}});
  if (r.ordinals()) k.add(loop::Compute{accumulator(r.best), {}, {constant(r.nest.guards.empty() ? 0 : -1)}});
  if (r.seen) k.add(loop::Compute{accumulator(*r.seen), {}, {constant(0)}});
}

void LeafLowering::accumulateTile() {
  if (formula->op == Combine::Assign) {
    if (!leaf.with.empty()) misfit(leaf, "nothing is reduced, so that nothing can be reduced with it");
    return overTile([&] {
      const Operand value = point.emit();
      store(formula->target, nest.out, value);
      followers({{formula->target, {value, dimensionPositions(*nest.clause)}}});
    });
  }
  std::vector<std::int64_t> dims;
  for (const TilePiece &t : tile)
    dims.push_back(t.size);
  addReductions();
  for (Reduction &r : reductions)
    declare(r, dims);
  const std::vector<Affine> waiting = std::exchange(guards, {}); // starts and results have no reduction index
  overTile([&] {
    for (const Reduction &r : reductions)
      start(r);
  });
  guards = waiting;
  inside = true;
  loops(resultEnd);
  inside = false;
  guards.clear();
  overTile([&] {
    std::map<int, InRegister> values;
    for (const Reduction &r : reductions) {
      std::vector<int> dims = dimensionPositions(*r.nest.clause);
      for (int &d : dims)
        d = d < 0 || r.here.empty() ? d : r.here[d];
      values[r.formula->target] = {result(r), dims};
    }
    followers(std::move(values));
  });
  guards = waiting;
}

/// A sum may add the zeros of lanes that do not exist.
bool LeafLowering::isMasked(const Reduction &r) const {
  return isPartial && !(r.formula->op == Combine::Sum && emitter(r).isZeroBeyondActive(r.nest.clause->body.root));
}

void LeafLowering::onePoint() {
  for (const Reduction &r : reductions)
    if (r.extremumOf < 0) onePoint(r);
}

void LeafLowering::onePoint(const Reduction &r) {
  const graph::Body &body = r.nest.clause->body;
  const graph::Node &root = body.nodes[body.root];
  const RegisterRef a = accumulator(r.acc);
  PointEmitter at = emitter(r);
  if (r.formula->op == Combine::Sum && root.kind == graph::Node::Kind::Call && root.fn == Fn::Mul) {
    const Operand x = at.emit(root.args[0]), y = at.emit(root.args[1]);
    if (!isMasked(r)) return k.add(loop::Compute{a, Fn::Fma, {x, y, KernelBuilder::of(a)}});
    const Operand next = k.compute("next", DType::F32, Fn::Fma, {x, y, KernelBuilder::of(a)});
    return k.add(loop::Compute{a, Fn::Select, {KernelBuilder::of(*mask), next, KernelBuilder::of(a)}});
  }
  if (r.seen) k.add(loop::Compute{accumulator(*r.seen), {}, {KernelBuilder::constant(1, DType::I32)}});
  combine(r, at.emit());
}

Operand LeafLowering::ordinal(const Reduction &r, PointEmitter &at) const {
  Affine number;
  std::int64_t radix = 1;
  for (std::size_t p = r.nest.clause->domain.size(); p-- > 0;) {
    if (!r.nest.positions[p].reduction) continue;
    number += Affine::var(static_cast<int>(p), radix);
    if (const int block = r.nest.positions[p].block; block >= 0)
      number += Affine::var(block, radix * loop::lanes);
    radix *= r.nest.positions[p].extent;
  }
  return at.number(number);
}

void LeafLowering::combine(const Reduction &r, const Operand &value) {
  const RegisterRef target = accumulator(r.acc);
  const Operand a = KernelBuilder::of(target);
  const DType type = k.kernel.registers[r.acc.reg].type;
  const auto masked = [&](const Operand &next) {
    if (isMasked(r))
      k.add(loop::Compute{target, Fn::Select, {KernelBuilder::of(*mask), next, a}});
    else
      k.add(loop::Compute{target, {}, {next}});
  };
  switch (r.formula->op) {
  case Combine::Assign:
    return;
  case Combine::Sum:
  case Combine::Prod: {
    const Fn op = r.formula->op == Combine::Sum ? (type == DType::I32 ? Fn::IAdd : Fn::Add)
                                              : (type == DType::I32 ? Fn::IMul : Fn::Mul);
    if (!isMasked(r)) return k.add(loop::Compute{target, op, {a, value}});
    return masked(k.compute("next", type, op, {a, value}));
  }
  case Combine::Max:
  case Combine::Min:
  case Combine::ArgMax:
  case Combine::ArgMin: {
    const bool max = r.formula->op == Combine::Max || r.formula->op == Combine::ArgMax;
    Operand wins =
        k.compute("wins", DType::Bool, Fn::Lt, max ? std::vector{a, value} : std::vector{value, a});
    if (type == DType::F32) {
      const Operand nan = k.compute("isNan", DType::Bool, Fn::Ne, {value, value});
      wins = k.compute("wins", DType::Bool, Fn::Or, {wins, nan});
    }
    for (const Reduction &o : reductions)
      if (o.ordinals() && &reductions[o.extremumOf < 0 ? &o - reductions.data() : o.extremumOf] == &r) place(o, wins);
    masked(k.compute("next", type, Fn::Select, {wins, value, a}));
  }
  }
}

/// Where the extremum is: the number of the point that wins, or of the first one. Without guards that is 0.
void LeafLowering::place(const Reduction &r, Operand wins) {
  PointEmitter at = emitter(r);
  const RegisterRef b = accumulator(r.best);
  if (!r.nest.guards.empty()) {
    const Operand first = k.compute("first", DType::Bool, Fn::Lt,
                                    {KernelBuilder::of(b), KernelBuilder::constant(0, DType::I32)});
    wins = k.compute("wins", DType::Bool, Fn::Or, {wins, first});
  }
  k.add(loop::Compute{b, Fn::Select, {wins, ordinal(r, at), KernelBuilder::of(b)}});
}

Operand LeafLowering::result(const Reduction &r) {
  PointEmitter at = emitter(r);
  Operand value = KernelBuilder::of(accumulator(r.ordinals() ? r.best : r.acc));
  if (reducesLanes()) {
    const RegisterRef total = k.reg("total", k.kernel.registers[r.acc.reg].type);
    const auto op = r.formula->op == Combine::Sum    ? loop::Reduce::Op::Sum
                    : r.formula->op == Combine::Prod ? loop::Reduce::Op::Prod
                    : r.formula->op == Combine::Max  ? loop::Reduce::Op::Max
                                                   : loop::Reduce::Op::Min;
    k.add(loop::Reduce{total, op, value});
    value = KernelBuilder::of(total);
    if (continues) {
      const RegisterRef old = k.reg("old", DType::F32);
      k.add(at.load(old, r.formula->target, r.nest.out));
      value = k.compute("sum", DType::F32, r.formula->op == Combine::Sum ? Fn::Add : Fn::Mul,
                        {KernelBuilder::of(old), value});
    }
  }
  if (r.seen) {
    const DType type = loop::registerType(context.graph.tensors[r.formula->target].dtype);
    const RegisterRef old = k.reg("old", type);
    k.add(at.load(old, r.formula->target, r.nest.out));
    const Operand empty =
        k.compute("empty", DType::Bool, Fn::Eq,
                  {KernelBuilder::of(accumulator(*r.seen)), KernelBuilder::constant(0, DType::I32)});
    value = k.compute("kept", type, Fn::Select, {empty, KernelBuilder::of(old), value});
  }
  if (context.buffers.of[r.formula->target] >= 0)
    k.add(at.store(r.formula->target, r.nest.out, value));
  return value;
}

void LeafLowering::store(int tensor, const Affine &address, const Operand &value) {
  if (context.buffers.of[tensor] >= 0) k.add(point.store(tensor, address, value));
}

/// The pointwise formulas that ride along: each of their indices is the result's index in the same dimension.
void LeafLowering::followers(std::map<int, InRegister> inRegister) {
  for (const std::string &name : leaf.then) {
    const graph::Formula *f = context.formulas.definition(name);
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
    std::vector<Affine> conditions;
    for (const Affine &guard : follower.guards) {
      if (at.dependsOnLane(guard)) misfit(leaf, fmt::format("a guard of '{}' depends on the vector index", name));
      conditions.push_back(at.value(guard));
    }
    Operand result;
    k.when(std::move(conditions), [&] {
      result = at.emit();
      if (context.buffers.of[f->target] >= 0) k.add(at.store(f->target, follower.out, result));
    });
    std::vector<int> dims = dimensionPositions(f->clauses[0]);
    for (int &d : dims)
      d = d < 0 ? -1 : here[d];
    inRegister[f->target] = {result, dims};
  }
}

} // namespace netc::schedule
