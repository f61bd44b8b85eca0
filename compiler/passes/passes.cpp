#include "compiler/passes/passes.h"

#include "compiler/graph/verifier.h"

namespace netc::passes {

namespace {

constexpr Pass inlineViewsPass{"inlineViews", inlineViews, "reads through pure copies go to the source"};
constexpr Pass simplifyPass{"simplify", simplify, "algebraic identities, to a fixed point"};
constexpr Pass stabilizePass{"stabilize", stabilize, "what overflows or cancels without need is written otherwise"};
constexpr Pass centrePass{"centre", centre, "variances are means of squared distances"};
constexpr Pass factorSumsPass{"factorSums", factorSums, "what a sum does not vary leaves it"};
constexpr Pass mergePointwisePass{"mergePointwise", mergePointwise,
                                  "pointwise formulas of equal domain become one"};
constexpr Pass csePass{"cse", cse, "equal formulas are computed once"};
constexpr Pass dcePass{"dce", dce, "formulas that nothing needs are dropped"};
constexpr Pass scatterToGatherPass{"scatterToGather", scatterToGather, "scattered sums become gathers"};
constexpr Pass mergeScatterPass{"mergeScatter", mergeScatter,
                                "scattered assignments take in the pointwise formula that reads them"};
constexpr Pass winnersPass{"winners", winners, "where an argmax names the point, the maximum is read"};
constexpr Pass masksPass{"masks", masks, "where only the sign of relu(e) matters, e is compared"};
constexpr Pass cropPass{"crop", crop, "borders that nothing reads are not computed"};
constexpr Pass narrowPass{"narrow", narrow, "ordinals of few points are bytes"};

constexpr Pass all[] = {inlineViewsPass, simplifyPass,       stabilizePass, centrePass,         factorSumsPass,
                        csePass,         mergePointwisePass, dcePass,       scatterToGatherPass,
                        mergeScatterPass, winnersPass,       masksPass,     cropPass,           narrowPass};

constexpr Pass forward[] = {
    simplifyPass,       // first: it gives pointwise formulas and copies the shape that the next two look for
    inlineViewsPass,    // before merging, so that a copy does not stand between two pointwise formulas
    mergePointwisePass, // needs the identity maps that simplify makes, and no copies between
    simplifyPass,       // merged bodies show new identities: log of (1 + exp) becomes softplus
    stabilizePass,      // after simplify, whose forms it looks for; before differentiation, so that gradients are stable
    centrePass,         // as stabilize
    csePass,            // after merging, so that a shared subexpression does not keep two bodies apart
    dcePass,            // last: drops the copies that are no longer read
};

constexpr Pass complete[] = {
    simplifyPass,        // sums that are assignments are seen by all that follows
    inlineViewsPass,     // the gradient of a slice or a padding is a copy
    mergePointwisePass,  // with constants spread, the seeds of the losses vanish
    simplifyPass,        // merged bodies show new identities
    factorSumsPass,      // looks for the products that merging and simplify make; cse finds the sums that became equal
    mergePointwisePass,  // the factors join the formulas that use the sums; sums that are 0 vanish
    simplifyPass,        // and what that leaves
    csePass,             // the gradient repeats forward formulas, such as the ordinals of a maximum
    scatterToGatherPass, // after merging: it multiplies clauses, and nothing is merged into them
    mergeScatterPass,    // what is still a scattered assignment then, such as the gradient of a maximum
    winnersPass,         // reads of what was compared stand under the test for the winner now
    masksPass,           // after winners, whose reads are smaller still
    dcePass,             // before crop: what is dropped reads nothing
    cropPass,            // after dce: a gather runs over the padded size, of which only the inside is read
    narrowPass,          // last: it changes types, and formulas of other types are not equal to cse
};

constexpr Pass stable[] = {stabilizePass, centrePass};

void check(const graph::Graph &g, std::string_view pass) {
  Diagnostics diagnostics;
  if (!graph::verify(g, diagnostics))
    internalError("pass " + std::string(pass) + " broke the graph of " + g.name + ":\n" + diagnostics.str());
}

} // namespace

std::span<const Pass> allPasses() {
  return all;
}
std::span<const Pass> forwardPipeline() {
  return forward;
}
std::span<const Pass> completePipeline() {
  return complete;
}
std::span<const Pass> stablePipeline() {
  return stable;
}

const Pass *findPass(std::string_view name) {
  for (const Pass &p : all)
    if (p.name == name) return &p;
  return nullptr;
}

void run(std::span<const Pass> passes, graph::Graph &g, const std::function<void(std::string_view)> &after) {
  for (const Pass &p : passes) {
    p.run(g);
    check(g, p.name);
    if (after) after(p.name);
  }
}

} // namespace netc::passes
