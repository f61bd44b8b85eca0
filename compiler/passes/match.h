// Applies one rewrite rule at one node of a body.
#pragma once

#include "compiler/passes/rules.h"

#include <functional>
#include <map>

namespace netc::passes {

using Bindings = std::map<int, int>; // letter id -> node

/// What a read stands for: a node of the same body (added to it), or -1 where the read is all there is to match.
using LookThrough = std::function<int(int node)>;

struct RuleUse {
  bool commute = false;                        // sums, products, ... match in either order of their arguments
  std::function<bool(const Bindings &)> holds; // asked last
  LookThrough lookThrough;                     // empty: reads match letters only
};

/// The rule's right side for node n of b, added to b; -1 where the rule does not match.
int apply(const ParsedRule &, graph::Body &b, int n, const RuleUse &);

/// Copies the body node by node, from the leaves up, each through `rewrite`, which gives a node of the new body;
/// returns what is reachable then.
graph::Body rebuilt(const graph::Body &, const std::function<int(graph::Body &, int)> &rewrite);

} // namespace netc::passes
