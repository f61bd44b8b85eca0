// Evaluates the formulas of a self-test (netc/self_test.h), point by point.
#pragma once

#include "../scalars.h"
#include "netc/self_test.h"

#include <cstdint>
#include <vector>

namespace netc {

/// One entry of a reference, and the values of its tensors in one call.
class Reference {
 public:
  struct Pair {
    std::size_t first, second;
  };
  struct Tensor {
    std::int64_t type, model; // number of the model's tensor, or -1
    std::vector<double> values; // row-major; a batch has `count` rows
  };

  /// `single`: every real operation is rounded to float.
  Reference(const NetcReferenceEntry &, std::int64_t count, const ScalarInputs &, bool single);

  /// Shared tensors must have their values.
  void evaluate();
  /// The formulas of the losses alone; held ones keep their values.
  void evaluateLosses();
  /// How many operations an evaluation takes.
  double work() const;

  std::vector<Tensor> tensors;
  std::vector<std::size_t> results;   // tensors, as in NetcEntry
  std::vector<std::size_t> losses;    // those among them
  std::vector<Pair> next;             // state, its value
  std::vector<Pair> gradients;        // parameter, its gradient

 private:
  struct Affine {
    std::int64_t constant;
    std::vector<std::int64_t> factors; // one an index
  };
  struct Node {
    std::int64_t kind, type, id = 0; // tensor, scalar or function
    double value = 0;
    Affine affine = {}; // of an index; of a read: the place
    std::vector<std::size_t> arguments = {};
  };
  struct Clause {
    std::vector<std::int64_t> extents;
    std::vector<Affine> guards;
    Affine place, ordinal;
    std::vector<Node> nodes;
  };
  struct Formula {
    std::size_t target;
    std::int64_t op;
    bool forLoss, held, hasOtherwise;
    double otherwise;
    std::vector<Clause> clauses;
  };
  class ClauseRun;

  std::int64_t word() { return *at++; }
  std::size_t number() { return static_cast<std::size_t>(word()); }
  double real();
  Affine affine(std::size_t rank);
  Tensor tensor();
  Formula formula();
  Clause clause();
  Node node(std::size_t rank);
  std::vector<std::size_t> numbers();
  std::vector<Pair> pairs();
  void evaluate(const Formula &);

  const std::int64_t *at; // while reading
  std::int64_t count;
  bool single;
  std::vector<double> scalars;
  std::vector<Formula> formulas;
};

} // namespace netc
