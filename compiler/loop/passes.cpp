#include "compiler/loop/passes.h"

namespace netc::loop {

namespace {

constexpr Pass passes[] = {
    {"unroll", unroll, "expands loops marked unroll"},
    {"fold", fold, "drops guards that always hold, code that never runs, and loops that run once"},
};

constexpr Pass cleanUp[] = {
    {"unroll", unroll, "register indices become constants"},
    {"fold", fold, "the guards of single unrolled points are constants now"},
};

} // namespace

std::span<const Pass> allPasses() { return passes; }

const Pass *findPass(std::string_view name) {
  for (const Pass &p : passes)
    if (p.name == name) return &p;
  return nullptr;
}

std::span<const Pass> pipeline() { return cleanUp; }

} // namespace netc::loop
