// The loss of a graph as a function of its parameters, in float64: what a gradient is compared with.
#pragma once

#include "compiler/graph/evaluator.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace netc::grad {

class LossFunction {
 public:
  /// `values` holds the shared tensors of the graph and all that its formulas compute. Parameters are moved in it and put
  /// back. Both outlive this.
  LossFunction(const graph::Graph &lossGraph, graph::Values &values, std::int64_t count)
      : loss(lossGraph), values(values), how{graph::Precision::Float64, count, {}, &values} {}

  /// A change of some elements of a parameter.
  struct Move {
    int tensor;
    std::vector<std::int64_t> elements; // empty: all
    std::vector<double> by;             // one an element
  };
  using Direction = std::span<const Move>;

  struct Difference {
    double derivative = 0;
    double bend = 0;  // how far that is from the difference of second order
    double noise = 0; // what the rounding of the losses may contribute
  };

  /// What changes with some parameters, computed from the values of all that does not.
  class Part {
   public:
    bool empty() const { return losses.empty(); } // no loss changes
    /// Operations of one evaluation: points times nodes of their body.
    double work = 0;

   private:
    friend class LossFunction;
    graph::Graph rest;
    std::vector<int> losses; // those that change
    std::optional<std::uint64_t> decisions; // where nothing has moved
    int firstStep = unknown; // index of the step to begin with
  };
  static constexpr int unknown = -1;
  /// `held`: what stands under stop_gradient keeps its value, as the gradient takes it.
  Part part(const std::vector<int> &parameters, bool held) const;

  /// The derivative along a direction by central differences of fourth order (at -2, -1, 1 and 2 steps). The step is
  /// the largest of 1e-3 to 1e-7 on which nothing is decided differently (a large one keeps the rounding of the loss
  /// small) and the curve bends so little that the formula is good to `tolerance` of `size`, that of the smallest
  /// contribution that counts. None when every step changes a decision.
  std::optional<Difference> difference(Part &, Direction along, double tolerance, double size);

  /// The losses of `part` do not change (by more than rounding) at a point this far away.
  bool same(const Part &, Direction along);

 private:
  struct Point {
    double total = 0, magnitude = 0; // the sum of the losses, and of their sizes
    std::uint64_t decisions = 0;
  };
  class Moved;
  int largestStep(const Part &, Moved &);
  bool isSmooth(const Part &, Moved &, double step, Difference &result);
  Point at(const Part &);
  static Point sumOf(const std::vector<int> &losses, const graph::Values &);

  const graph::Graph &loss;
  graph::Values &values;
  const graph::Evaluation how;
  int lastStep = unknown; // where a new part begins
};

} // namespace netc::grad
