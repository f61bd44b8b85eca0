// The reference evaluator: slow, obvious, the oracle of every pass and back end. It walks each formula's domain in
// lexicographic order and combines as it goes, in double or in float.
#pragma once

#include "compiler/graph/graph.h"

#include <map>

namespace netc::graph {

enum class Precision { Float32, Float64 };

/// Values of all tensors by number, in logical order; doubles hold integers exactly. Batch tensors have `count`
/// rows in use.
using Values = std::map<int, std::vector<double>>;

struct Evaluation {
  Precision precision = Precision::Float64;
  std::int64_t count = 1; // this call's batch
  ScalarInputs scalars;   // step, epoch, steps, seed; count is taken from above
  const Values *given = nullptr; // where tensors are looked up that the evaluation's own values lack
};

/// `values` holds the shared tensors (inputs, targets, params, states; constants are filled in) and receives every
/// Local. Only formulas that `wanted` needs are computed (empty: all), and what is not wanted is dropped after its last
/// reader. Throws UserError when an input is missing or has the wrong size.
void evaluate(const Graph &, Values &values, const Evaluation &, const std::vector<int> &wanted = {});

/// How much work an evaluation is: for each point of each domain the operations of its body, at full batch.
double evaluationWork(const Graph &);

/// A fingerprint of every discrete decision of an evaluation (comparison results, max winners): two evaluations
/// with equal fingerprints lie on the same smooth piece. Recorded by evaluate() when `decisions` is given.
struct Decisions {
  std::uint64_t hash = 0;
};
void evaluate(const Graph &, Values &values, const Evaluation &, const std::vector<int> &wanted, Decisions *decisions);

/// Float64 values as evaluate() gives them, and in `errors`, for each tensor, how far a float32 computation of the same
/// formulas may be from them: any order of summation, fused or not, table functions within a few ulp. Infinite where
/// nothing can be promised (an argmax with a near tie, a division by nearly nothing, an overflow). Given tensors
/// must hold float32 values; their error is 0. Slow: meant for small random formulas.
void evaluateWithBound(const Graph &, Values &values, Values &errors, const Evaluation &);

} // namespace netc::graph
