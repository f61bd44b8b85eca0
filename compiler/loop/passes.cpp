#include "compiler/loop/passes.h"

namespace netc::loop {

namespace {

/// A pass that looks at its kernel only.
template <void (*pass)(Kernel &, std::int64_t)> void alone(const Entry &, Kernel &k, std::int64_t batch) {
  pass(k, batch);
}

constexpr Pass clipPass{"clip", alone<clip>, "turns guards on a loop's variable into bounds of the loop"};
constexpr Pass splitPass{"split", alone<split>, "splits loops where a guard in them changes"};
constexpr Pass unrollPass{"unroll", alone<unroll>, "expands loops marked unroll"};
constexpr Pass foldPass{"fold", alone<fold>, "drops guards that always hold, code that never runs, loops that run once"};
constexpr Pass constantsPass{"constants", constants, "computes what is known"};
constexpr Pass csePass{"cse", cse, "computes and loads equal values once, drops what is never read"};
constexpr Pass hoistPass{"hoist", hoist, "moves what does not change in a loop before it"};

constexpr Pass passes[] = {clipPass, splitPass, unrollPass, foldPass, constantsPass, csePass, hoistPass};

constexpr Pass cleanUp[] = {
    clipPass,   // before split: a guard that is a bound needs no split
    foldPass,   // before split: only loops with constant bounds are split, so superfluous bounds must go
    splitPass,  // before unroll: it sees one guard where unroll would leave many
    foldPass,   // before unroll: guards that hold in a whole piece need not be copied
    unrollPass, // before cse: equal loads of different copies stand side by side
    foldPass,   // after unroll: the guards of single points are constants now
    constantsPass, // after unroll: subscripts are constants now; before cse, which drops what is not used any more
    csePass,    // before hoist: fewer values compete for registers
    hoistPass,
};

} // namespace

std::span<const Pass> allPasses() { return passes; }

const Pass *findPass(std::string_view name) {
  for (const Pass &p : passes)
    if (p.name == name) return &p;
  return nullptr;
}

std::span<const Pass> pipeline() { return cleanUp; }

void optimize(const Entry &e, Kernel &k, std::int64_t batch) {
  for (const Pass &p : cleanUp) p.run(e, k, batch);
}

} // namespace netc::loop
