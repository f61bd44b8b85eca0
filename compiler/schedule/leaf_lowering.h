// Lowers one leaf of a schedule to one kernel. Internal to lowering: lower_leaf.cpp checks that the leaf fits,
// leaf_loops.cpp has the loops, leaf_reduction.cpp what happens inside them.
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
  void checkSteps(int p) const;
  void checkOrder() const;
  void checkChoices() const;
  /// The samples of a turn; the sums go on in the next.
  bool addsSamplesOfTurn() const { return context.turns && nest.batch >= 0 && nest.positions[nest.batch].reduction; }
  void checkTurns() const;
  bool goesBySamples() const;
  int position(const std::string &name) const;
  bool reducesLanes() const { return vector >= 0 && nest.positions[vector].reduction; }
  std::int64_t tileOf(int p) const;
  bool unrolls(int p) const;

  void loops(std::size_t depth);
  struct Loop {
    int position;
    std::int64_t by;
    bool last; // no step of the same index stands inside it
  };
  /// What the loops so far have left of an index: `extent` values from 16 * block + lane on.
  struct Range {
    Affine block, lane;
    std::int64_t extent;
  };
  void sequence(int p, std::int64_t times, std::int64_t step, const std::function<void(Affine)> &body);
  void withRest(int p, std::int64_t times, std::int64_t step, bool rest,
                const std::function<void(Affine, bool isRest)> &body);
  void pieces(int p, std::int64_t extent, std::int64_t size,
              const std::function<void(Affine, std::int64_t)> &body);
  void within(int p, Range, const std::function<void()> &body);
  void bindAt(int p, const Affine &block, const Affine &lane);
  void unbind(int p);
  void at(int p, const Affine &block, const Affine &lane, const std::function<void()> &body);
  void partLoop(const Loop &, const std::function<void()> &next);
  void batchSteps(std::int64_t by, const std::function<void(Affine)> &body);
  void batchLoop(const std::function<void()> &next);
  void blockedBatchLoops(const std::function<void()> &next);
  void scalarLoop(int p, const std::function<void()> &next);
  void vectorLoop(const std::function<void()> &next);
  void batchVectorLoop(const std::function<void()> &next);
  void batchTile(const Affine &first, std::int64_t size, const std::function<void()> &body);
  bool touchesRows() const;
  void batchBlocks(const Affine &nb, const std::function<void()> &body);
  void lanePartials(const std::function<void()> &next);
  void withKnownGuards(const std::function<void()> &body); // after an index got its value
  bool known(const Affine &guard) const;

  void accumulate();
  void accumulateTile();
  void overTile(const std::function<void()> &body);
  void onePoint();
  /// One of the reductions of the sweep: the leaf's own is the first.
  struct Reduction {
    const graph::Formula *formula;
    Nest nest;
    std::vector<int> here; // for each of its positions that of the leaf's nest; empty: it is the leaf's
    loop::RegisterRef acc, best = {}; // best: the ordinal of argmax
    int extremumOf = -1; // of an argmax or argmin: the max or min of the same values, if that is one of the sweep
    /// Of a max or min: 1 once its window has a point; without one the target keeps its value.
    std::optional<loop::RegisterRef> seen = {};
    bool extremum() const;
    bool ordinals() const;
  };
  PointEmitter emitter(const Reduction &) const;
  static bool sameValues(const Reduction &, const Reduction &);
  void addReductions();
  void declare(Reduction &, const std::vector<std::int64_t> &dims);
  void start(const Reduction &);
  bool isMasked(const Reduction &) const;
  void onePoint(const Reduction &);
  void place(const Reduction &, loop::Operand wins);
  void combine(const Reduction &, const loop::Operand &value);
  loop::Operand result(const Reduction &);
  void store(int tensor, const Affine &address, const loop::Operand &value);
  void followers(std::map<int, InRegister> inRegister);

  loop::RegisterRef accumulator(const loop::RegisterRef &array) const;
  loop::Operand identity(const Reduction &) const;
  loop::Operand ordinal(const Reduction &, PointEmitter &) const;

  const LeafContext &context;
  const Leaf &leaf;
  KernelBuilder k;
  const graph::Formula *formula = nullptr;
  Nest nest;
  PointEmitter point; // the values of the indices at the current point
  std::vector<std::vector<int>> collapsed;
  int vector = -1;
  std::vector<Loop> order;
  std::size_t resultEnd = 0; // where in `order` only loops of the reduction are left
  bool inside = false;       // of those
  std::vector<Range> ranges; // by position
  std::vector<Affine> guards;  // not yet placed
  struct TilePiece {
    int position;
    std::int64_t size;
    Affine block, lane; // of its first element
    bool blocks;        // the elements are blocks
  };
  std::vector<TilePiece> tile;           // the current piece of each tiled index
  std::vector<Affine> tileIndex;         // the current element, one for each entry of tile
  std::vector<Reduction> reductions;
  bool isPartial = false; // the current block of a reduced lane index has fewer than 16
  std::optional<loop::RegisterRef> mask; // of the lanes that exist there, where one is needed
  bool continues = false; // the accumulators start with what the target holds
};

} // namespace netc::schedule
