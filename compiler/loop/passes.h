// Loop -> loop passes. Each is one function in one file; name = flag = test folder (test/loop/NAME).
#pragma once

#include "compiler/loop/loop.h"

#include <span>
#include <string_view>

namespace netc::loop {

/// Guards that bound a serial loop's variable become bounds of that loop: `for u in 0..5 { if i+u-2 >= 0 {...} }` becomes
/// `for u in max(0, 2-i)..5 {...}`. Only where the If is all that the loop's body holds and coefficients are +-1.
void clip(Kernel &, std::int64_t batch);

/// Splits serial loops at the values where a guard below them changes, when that leaves at most four pieces, so that
/// the guards fold. Loops with a step keep their phase.
void split(Kernel &, std::int64_t batch);

/// Expands loops marked unroll; register indices become constants.
void unroll(Kernel &, std::int64_t batch);

/// Drops guards that always hold, bodies of guards that never do, loops that never run, and empty blocks; a loop that
/// runs once becomes its body.
void fold(Kernel &, std::int64_t batch);

/// In straight-line code, an operation or load whose operands did not change is done once. Stores end the validity of
/// loads from the same buffer. Registers that are never read are dropped.
void cse(Kernel &, std::int64_t batch);

/// Loads and operations that do not change in a loop move before it (only where the loop surely runs).
void hoist(Kernel &, std::int64_t batch);

struct Pass {
  std::string_view name;
  void (*run)(Kernel &, std::int64_t batch);
  std::string_view does;
};
std::span<const Pass> allPasses();
const Pass *findPass(std::string_view name);
/// The order in which lowering's result is cleaned up; a reason beside each entry.
std::span<const Pass> pipeline();

} // namespace netc::loop
