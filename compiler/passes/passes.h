// Graph -> graph passes. Each is one function in one file of its own; its name here is its flag (--pass=NAME)
// and its test folder (test/passes/NAME). Passes keep values: the evaluator gives the same before and after.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

#include <functional>
#include <span>
#include <string_view>

namespace netc::passes {

void inlineViews(graph::Graph &);     // reads through pure copies (flatten, slices) go to the source
void simplify(graph::Graph &);        // algebraic identities from the rule table, to a fixed point
void stabilize(graph::Graph &);       // what overflows or cancels without need is written as it should be computed
void centre(graph::Graph &);          // mean(x*y) - mean(x)*mean(y) becomes mean((x - mean(x))*(y - mean(y)))
void factorSums(graph::Graph &);      // what a sum does not vary leaves it; sums that follow from others are formulas
void mergePointwise(graph::Graph &);  // pointwise formulas of equal domain become one body
void cse(graph::Graph &);             // formulas equal up to names are computed once
void dce(graph::Graph &);             // formulas that no result and no next needs are dropped
void scatterToGather(graph::Graph &); // T[i + u] += ... becomes T[h] = sum(...) ...; strides by phases
void mergeScatter(graph::Graph &);    // a scattered assignment takes in the pointwise formula that reads it
void winners(graph::Graph &);         // where an argmax names the point, what was compared is the maximum
void masks(graph::Graph &);           // where only the sign of relu(e) matters, e is compared
void crop(graph::Graph &);            // borders that nothing reads are not computed
void narrow(graph::Graph &);          // ordinals of few points are bytes

struct Pass {
  std::string_view name;
  void (*run)(graph::Graph &);
  std::string_view does;
};
std::span<const Pass> allPasses();
const Pass *findPass(std::string_view name);

/// The pipelines, in order; a reason stands beside each entry that has an ordering constraint.
std::span<const Pass> forwardPipeline();  // before differentiation
std::span<const Pass> completePipeline(); // after it, forward and backward together
/// The part of the forward pipeline that `netc run` needs, whatever its engine: every tensor stays and keeps its number.
std::span<const Pass> stablePipeline();

/// Runs the passes; the verifier runs after each (a violation is an internal error naming the pass), and
/// `after` is called with the pass's name (for --print-after-all).
void run(std::span<const Pass>, graph::Graph &, const std::function<void(std::string_view)> &after = {});

} // namespace netc::passes
