// The loops of a leaf, from outside in, as its order says.
#include "compiler/schedule/leaf_lowering.h"

#include <fmt/format.h>

namespace netc::schedule {

using loop::RegisterRef;

void LeafLowering::loops(std::size_t depth) {
  if (depth == resultEnd && !inside) return accumulate();
  if (depth == order.size()) return overTile([&] { onePoint(); });
  const Loop &l = order[depth];
  const auto next = [&] { loops(depth + 1); };
  if (!l.last)
    partLoop(l, next);
  else if (l.position == vector)
    reducesLanes() ? lanePartials(next) : vectorLoop(next);
  else if (l.position == nest.batch)
    batchLoop(next);
  else
    scalarLoop(l.position, next);
}

/// Runs body for 0, step, 2*step, ..., `times` times; the threads share the outermost loop if it is the
/// parallel one.
void LeafLowering::sequence(int p, std::int64_t times, std::int64_t step,
                            const std::function<void(Affine)> &body) {
  const std::string &name = nest.positions[p].name;
  if (leaf.parallel == name && k.kernel.parallel < 0) {
    k.kernel.parallel = k.variable(name);
    k.kernel.parallelExtent = times;
    return body(Affine::var(k.kernel.parallel, step));
  }
  if (times == 1) return body(0);
  if (times > 0) k.loop(name, 0, times * step, step, unrolls(p), [&](int v) { body(Affine::var(v)); });
}

/// As `times` steps and, when there is one, a last smaller one.
void LeafLowering::withRest(int p, std::int64_t times, std::int64_t step, bool rest,
                            const std::function<void(Affine, bool isRest)> &body) {
  if (rest && leaf.parallel == nest.positions[p].name && k.kernel.parallel < 0) {
    const int var = k.kernel.parallel = k.variable(nest.positions[p].name);
    k.kernel.parallelExtent = times + 1;
    const Affine left = Affine(times - 1) - Affine::var(var);
    if (times > 0) k.when({left}, [&] { body(Affine::var(var, step), false); });
    return k.when({left * -1 - 1}, [&] { body(times * step, true); });
  }
  if (times > 0) sequence(p, times, step, [&](const Affine &at) { body(at, false); });
  if (rest) body(times * step, true);
}

void LeafLowering::pieces(int p, std::int64_t extent, std::int64_t size,
                          const std::function<void(Affine, std::int64_t)> &body) {
  withRest(p, extent / size, size, extent % size > 0,
           [&](const Affine &at, bool isRest) { body(at, isRest ? extent % size : size); });
}

void LeafLowering::within(int p, Range range, const std::function<void()> &body) {
  std::swap(ranges[p], range);
  body();
  std::swap(ranges[p], range);
}

void LeafLowering::bindAt(int p, const Affine &block, const Affine &lane) {
  if (nest.positions[p].block >= 0) {
    point.bind(nest.positions[p].block, block);
    point.bind(p, lane);
  } else {
    point.bind(p, block * loop::lanes + lane);
  }
}

void LeafLowering::unbind(int p) {
  point.unbind(p);
  if (nest.positions[p].block >= 0) point.unbind(nest.positions[p].block);
}

void LeafLowering::at(int p, const Affine &block, const Affine &lane, const std::function<void()> &body) {
  bindAt(p, block, lane);
  withKnownGuards(body);
  unbind(p);
}

/// A step that later steps of the same index divide.
void LeafLowering::partLoop(const Loop &l, const std::function<void()> &next) {
  const int p = l.position;
  const Range r = ranges[p];
  if (p == nest.batch) return batchSteps(l.by, [&](const Affine &at) { within(p, {0, at, l.by}, next); });
  const bool blocks = p == vector || nest.positions[p].block >= 0;
  const std::int64_t unit = blocks ? loop::lanes : 1;
  pieces(p, (r.extent + unit - 1) / unit, l.by / unit, [&](const Affine &at, std::int64_t size) {
    Range part = r;
    (blocks ? part.block : part.lane) += at;
    // The last of the blocks may be a part of one.
    part.extent = at.isConstant() ? std::min(size * unit, r.extent - at.constant() * unit) : size * unit;
    within(p, part, next);
  });
}

/// Samples in steps, as long as there are any.
void LeafLowering::batchSteps(std::int64_t by, const std::function<void(Affine)> &body) {
  const Position &p = nest.positions[nest.batch];
  const Range &r = ranges[nest.batch];
  if (leaf.parallel == p.name && k.kernel.parallel < 0) {
    const int var = k.kernel.parallel = k.variable(p.name);
    const bool counted = by == 1 && !context.turns;
    k.kernel.parallelExtent = counted ? Affine::var(loop::Count) : Affine((r.extent + by - 1) / by);
    const Affine at = r.lane + Affine::var(var, by);
    if (!context.turns) point.setFirstSample(at);
    return k.when(counted ? std::vector<Affine>{} : std::vector<Affine>{Affine::var(loop::Count) - at - 1},
                  [&] { body(at); });
  }
  if (r.extent < p.extent && by > 1) { // counted, so that one sees where a step ends
    const std::int64_t steps = (r.extent + by - 1) / by;
    const auto step = [&](const Affine &at) { k.when({Affine::var(loop::Count) - at - 1}, [&] { body(at); }); };
    if (steps == 1) return step(r.lane);
    return k.loop(p.name, 0, steps, 1, false, [&](int v) { step(r.lane + Affine::var(v, by)); });
  }
  std::vector<Affine> upper{Affine::var(loop::Count)};
  if (r.extent < p.extent) upper.insert(upper.begin(), r.lane + r.extent);
  k.loop(p.name, {r.lane}, std::move(upper), by, false, [&](int v) { body(Affine::var(v)); });
}

/// Sample by sample.
void LeafLowering::batchLoop(const std::function<void()> &next) {
  const int p = nest.batch;
  if (nest.positions[p].block >= 0) return blockedBatchLoops(next);
  const std::int64_t size = tileOf(p);
  batchSteps(size, [&](const Affine &first) {
    if (size == 1) return at(p, 0, first, next);
    const Affine count = Affine::var(loop::Count);
    k.when({count - first - size}, [&] {
      tile.push_back({p, size, 0, first, false});
      next();
      tile.pop_back();
    });
    k.when({first + size - 1 - count}, [&] {
      k.loop(nest.positions[p].name, {first}, {first + size, count}, 1, false,
             [&](int v) { at(p, 0, Affine::var(v), next); });
    });
  });
}

/// Sample by sample, where some memory holds 16 of them side by side.
void LeafLowering::blockedBatchLoops(const std::function<void()> &next) {
  const int p = nest.batch;
  const auto block = [&](int nb) {
    k.loop(nest.positions[p].name, 0, loop::lanes, 1, false, [&](int lane) {
      const Affine sample = Affine::var(nb, loop::lanes) + Affine::var(lane);
      bindAt(p, Affine::var(nb), Affine::var(lane));
      k.when({Affine::var(loop::Count) - sample - 1}, [&] { withKnownGuards(next); });
      unbind(p);
    });
  };
  if (leaf.parallel == nest.positions[p].name && k.kernel.parallel < 0) {
    k.kernel.parallel = k.variable("nb");
    k.kernel.parallelExtent = Affine::var(loop::Blocks);
    return block(k.kernel.parallel);
  }
  k.loop("nb", 0, Affine::var(loop::Blocks), 1, false, block);
}

/// Full register tiles, then a smaller one for the rest.
void LeafLowering::scalarLoop(int p, const std::function<void()> &next) {
  const Range r = ranges[p];
  if (nest.positions[p].block >= 0 && r.extent > loop::lanes)
    return sequence(p, r.extent / loop::lanes, 1, [&](const Affine &block) {
      within(p, {r.block + block, r.lane, loop::lanes}, [&] { scalarLoop(p, next); });
    });
  const std::int64_t size = std::min(tileOf(p), r.extent);
  pieces(p, r.extent, size, [&](const Affine &first, std::int64_t part) {
    if (size == 1) return at(p, r.block, r.lane + first, next);
    tile.push_back({p, part, r.block, r.lane + first, false}); // bound element by element
    next();
    tile.pop_back();
  });
}

/// Blocks of 16 along the lanes, several at a time where the register tile says so.
void LeafLowering::vectorLoop(const std::function<void()> &next) {
  if (vector == nest.batch) return batchVectorLoop(next);
  const Range r = ranges[vector];
  const std::int64_t size = std::max<std::int64_t>(tileOf(vector) / loop::lanes, 1);
  const auto blocks = [&](const Affine &first, std::int64_t part) {
    if (size == 1) return at(vector, r.block + first, 0, next);
    tile.push_back({vector, part, r.block + first, 0, true});
    next();
    tile.pop_back();
  };
  const std::int64_t elements = size * loop::lanes, rest = r.extent % elements;
  withRest(vector, r.extent / elements, size, rest > 0, [&](const Affine &first, bool isRest) {
    if (!isRest) return blocks(first, size);
    if (rest >= loop::lanes) blocks(first, rest / loop::lanes);
    if (rest % loop::lanes == 0) return;
    point.setActive(rest % loop::lanes);
    at(vector, r.block + first + rest / loop::lanes, 0, next);
    point.setActive(std::nullopt);
  });
}

void LeafLowering::batchVectorLoop(const std::function<void()> &next) {
  const std::int64_t size = std::max<std::int64_t>(tileOf(vector) / loop::lanes, 1);
  const bool shared = (leaf.parallel == leaf.vector || context.alongSamples()) && k.kernel.parallel < 0;
  if (shared) {
    k.kernel.parallel = k.variable("nb");
    const std::int64_t planned = (nest.positions[vector].extent + loop::lanes - 1) / loop::lanes;
    k.kernel.parallelExtent = size == 1 ? Affine::var(loop::Blocks) : Affine((planned + size - 1) / size);
    return batchTile(Affine::var(k.kernel.parallel, size), size, next);
  }
  k.loop("nb", 0, Affine::var(loop::Blocks), size, false, [&](int nb) { batchTile(Affine::var(nb), size, next); });
}

/// Runs body for `size` blocks of samples from `first` on: side by side, or one by one where there are fewer.
void LeafLowering::batchTile(const Affine &first, std::int64_t size, const std::function<void()> &body) {
  if (size == 1) return batchBlocks(first, body);
  const Affine blocks = Affine::var(touchesRows() ? loop::FullBlocks : loop::Blocks);
  k.when({blocks - first - size}, [&] {
    tile.push_back({vector, size, first, 0, true});
    body();
    tile.pop_back();
  });
  k.when({first + size - 1 - blocks}, [&] {
    k.loop("nb", {first}, {first + size, Affine::var(loop::Blocks)}, 1, false,
           [&](int nb) { batchBlocks(Affine::var(nb), body); });
  });
}

bool LeafLowering::touchesRows() const {
  std::vector<std::string> others = leaf.with;
  others.insert(others.end(), leaf.then.begin(), leaf.then.end());
  return point.touchesRows(others);
}

/// Runs body for the block of samples nb, once for full blocks and once for the last, partial one, where that
/// matters: memory that holds sample after sample ends at `count`.
void LeafLowering::batchBlocks(const Affine &nb, const std::function<void()> &body) {
  bindAt(nest.batch, nb, 0);
  const Affine rest = Affine::var(loop::Count) - nb * loop::lanes;
  if (!touchesRows()) {
    withKnownGuards(body);
  } else {
    k.when({rest - loop::lanes}, [&] { withKnownGuards(body); });
    point.setActive(rest);
    k.when({Affine(loop::lanes - 1) - rest}, [&] { withKnownGuards(body); });
    point.setActive(std::nullopt);
  }
  unbind(nest.batch);
}

/// The vector index is reduced: 16 partial sums; lanes beyond the end keep their value.
void LeafLowering::lanePartials(const std::function<void()> &next) {
  const auto inner = [&] { withKnownGuards(next); };
  const auto masked = [&](const Affine &active) {
    point.setActive(active);
    isPartial = true;
    if (std::any_of(reductions.begin(), reductions.end(), [this](const Reduction &r) { return isMasked(r); })) {
      mask = k.reg("mask", DType::Bool);
      k.add(loop::LaneMask{*mask, active});
    }
    inner();
    point.setActive(std::nullopt);
    isPartial = false;
    mask.reset();
  };
  if (vector == nest.batch) {
    const auto blocks = [&](int nb, const std::function<void()> &body) {
      bindAt(nest.batch, Affine::var(nb), 0);
      body();
      unbind(nest.batch);
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
      bindAt(vector, Affine::var(v), 0);
      inner();
      unbind(vector);
    });
  if (rest > 0) {
    bindAt(vector, full, 0);
    masked(rest);
    unbind(vector);
  }
}

} // namespace netc::schedule
