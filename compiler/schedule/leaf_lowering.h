// Lowers one leaf of a schedule to one kernel. Internal to lowering: lower_leaf.cpp has the loops over result
// indices, leaf_reduction.cpp what happens inside them.
#pragma once

#include "compiler/schedule/emit.h"

namespace netc::schedule {

/// The schedule does not fit the graph: a message that names the leaf.
[[noreturn]] void misfit(const Leaf &, const std::string &what);

/// Lowers one leaf. The methods follow the nest from outside in: loops over result indices, the accumulators,
/// the loops over reduction indices, one point, and the results.
class LeafLowering {
 public:
  LeafLowering(const LeafContext &context, const Leaf &leaf)
      : context(context), leaf(leaf),
        k(leaf.formula + (leaf.clause ? "." + std::to_string(leaf.clause) : "")),
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
  void withKnownGuards(const std::function<void()> &body); // after an index got its value
  bool known(const Affine &guard) const;

  void accumulate();
  void reductionLoops(std::size_t depth);
  void lanePartials(std::size_t depth);
  void overTile(const std::function<void()> &body);
  void onePoint();
  void combine(const loop::Operand &value);
  void results();
  void store(int tensor, const Affine &address, const loop::Operand &value);
  void followers(const loop::Operand &value);

  loop::RegisterRef accumulator(const loop::RegisterRef &array) const;
  loop::Operand identity() const;
  loop::Operand ordinal();

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
  std::vector<TilePiece> tile;           // the current piece of each tiled index
  std::vector<Affine> tileIndex;         // the current element, one for each entry of tile
  loop::RegisterRef acc, best;           // best: the ordinal of argmax
  std::optional<loop::RegisterRef> mask; // of the samples that exist, in the partial block
  /// Of a max or min: 1 once its window has a point; without one the target keeps its value.
  std::optional<loop::RegisterRef> seen;
  bool continues = false; // the accumulators start with what the target holds
};

} // namespace netc::schedule
