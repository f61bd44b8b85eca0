#include "compiler/loop/passes.h"

#include <algorithm>

namespace netc::loop {

namespace {

Block clip(const Block &);

void addUnique(std::vector<Affine> &list, Affine a) {
  if (std::find(list.begin(), list.end(), a) == list.end()) list.push_back(std::move(a));
}

/// True when the condition became a bound of the loop. A lower bound would move the phase of a loop with a step.
bool becomesBound(For &f, const Affine &condition) {
  const std::int64_t k = condition.coefficient(f.var);
  const Affine rest = condition - Affine::var(f.var, k);
  if (k == 1 && f.step == 1) addUnique(f.lower, rest * -1); // var >= -rest
  else if (k == -1) addUnique(f.upper, rest + 1);           // var <= rest
  else return false;
  return true;
}

StatementPtr clipLoop(For f) {
  f.body = clip(f.body);
  const If *guard = f.body.size() == 1 ? std::get_if<If>(&f.body[0]->node) : nullptr;
  if (f.unroll || !guard) return make(std::move(f));
  If outside, inside;
  for (const Affine &c : guard->conditions) {
    if (!c.uses(f.var)) outside.conditions.push_back(c); // the same for the whole loop
    else if (!becomesBound(f, c)) inside.conditions.push_back(c);
  }
  Block body = guard->body;
  if (!inside.conditions.empty()) {
    inside.body = std::move(body);
    body = {make(std::move(inside))};
  }
  f.body = std::move(body);
  StatementPtr loop = make(std::move(f));
  if (outside.conditions.empty()) return loop;
  outside.body = {std::move(loop)};
  return make(std::move(outside));
}

/// A guard that holds nothing but a guard is one guard.
StatementPtr clipGuard(If guard) {
  guard.body = clip(guard.body);
  if (guard.body.size() == 1) {
    if (const If *inner = std::get_if<If>(&guard.body[0]->node)) {
      guard.conditions.insert(guard.conditions.end(), inner->conditions.begin(), inner->conditions.end());
      Block body = inner->body; // `inner` dies with the old body
      guard.body = std::move(body);
    }
  }
  return make(std::move(guard));
}

Block clip(const Block &block) {
  Block out;
  out.reserve(block.size());
  for (const StatementPtr &s : block) {
    if (auto *f = std::get_if<For>(&s->node)) out.push_back(clipLoop(*f));
    else if (auto *i = std::get_if<If>(&s->node)) out.push_back(clipGuard(*i));
    else out.push_back(s);
  }
  return out;
}

} // namespace

void clip(Kernel &k, std::int64_t) { k.body = clip(k.body); }

} // namespace netc::loop
