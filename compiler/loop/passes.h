// Loop -> loop passes. Each is one function in one file; name = flag = test folder (test/loop/NAME).
#pragma once

#include "compiler/loop/loop.h"

#include <span>
#include <string_view>

namespace netc::loop {

/// Guards that bound a serial loop's variable become bounds of that loop: `for u in 0..5 { if i+u-2 >= 0 {...} }` becomes
/// `for u in max(0, 2-i)..5 {...}`. Only where the If is all that the loop's body holds and coefficients are +-1.
/// Conditions of such an If that do not name the variable move before the loop.
void clip(Kernel &, std::int64_t batch);

/// Splits serial loops at the values where a guard below them changes, so that the guards fold: into at most six
/// pieces, else into the longest stretch without a change and the two edges, whose guards remain. A loop that would
/// grow beyond 4000 statements stays whole. Loops with a step keep their phase.
void split(Kernel &, std::int64_t batch);

/// Expands loops marked unroll; register indices become constants.
void unroll(Kernel &, std::int64_t batch);

/// Drops guards that always hold, bodies of guards that never do, loops that never run, and empty blocks; a loop that
/// runs once becomes its body.
void fold(Kernel &, std::int64_t batch);

/// Elements of constants and operations on known values become values; sums with 1 or -1 as a factor become additions, and those
/// of 0 times 0 vanish.
void constants(const Entry &, Kernel &, std::int64_t batch);

/// In straight-line code, an operation or load whose operands did not change is done once. Stores end the validity of
/// loads from buffers that share bytes with theirs. Registers that are never read are dropped.
void cse(const Entry &, Kernel &, std::int64_t batch);

/// Loads and operations that do not change in a loop move before it (only where the loop surely runs), as long as
/// registers are left.
void hoist(const Entry &, Kernel &, std::int64_t batch);

struct Pass {
  std::string_view name;
  /// The kernel may be one of the entry's; of the entry, a pass looks at the buffers only.
  void (*run)(const Entry &, Kernel &, std::int64_t batch);
  std::string_view does;
};
std::span<const Pass> allPasses();
const Pass *findPass(std::string_view name);
/// The order in which lowering's result is cleaned up; a reason beside each entry.
std::span<const Pass> pipeline();
void optimize(const Entry &, Kernel &, std::int64_t batch); // runs the pipeline
void optimize(Program &);                                   // every kernel

} // namespace netc::loop
