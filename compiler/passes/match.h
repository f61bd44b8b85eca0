// Applies one rewrite rule at one node of a body.
#pragma once

#include "compiler/passes/rules.h"

#include <array>
#include <functional>

namespace netc::passes {

/// The nodes that stand for the letters of a rule.
class Bindings {
 public:
  Bindings() { nodes.fill(none); }
  static constexpr int none = -1;
  int &of(int letter) { return nodes[static_cast<std::size_t>(letter - letterId('a'))]; }
  int of(int letter) const { return nodes[static_cast<std::size_t>(letter - letterId('a'))]; }

 private:
  std::array<int, 'z' - 'a' + 1> nodes;
};

/// What a read stands for: a node of the same body (added to it), or -1 where the read is all there is to match.
using LookThrough = std::function<int(int node)>;

struct RuleUse {
  bool commute = false;                        // sums, products, ... match in either order of their arguments
  std::function<bool(const Bindings &)> holds; // asked last
  LookThrough lookThrough;                     // empty: reads match letters only
};

/// The rule's right side for node n of b, added to b; -1 where the rule does not match.
int apply(const ParsedRule &, graph::Body &b, int n, const RuleUse &);

/// Builds the body anew, node by node, from the leaves up, each through `rewrite`, which gives a node of the new body;
/// returns what is reachable then.
graph::Body rebuilt(graph::Body, FunctionRef<int(graph::Body &, int)> rewrite);

} // namespace netc::passes
