#include "compiler/passes/match.h"

namespace netc::passes {

using graph::Body;
using graph::Node;

namespace {

using Continue = FunctionRef<bool(Bindings &)>;

class Matcher {
 public:
  Matcher(const Body &pattern, Body &subject, const RuleUse &use)
      : pattern(pattern), subject(subject), use(use) {}

  /// Matches node p of the pattern with node s of the subject, and then whatever `rest` still has to match.
  bool match(int p, int s, Bindings &bound, Continue rest) const {
    const Node &want = pattern.nodes[p];
    if (want.dtype != subject.nodes[s].dtype) return false;
    if (isLetter(want)) return matchLetter(want.id, s, bound, rest);
    if (subject.nodes[s].kind == Node::Kind::Read && use.lookThrough) s = use.lookThrough(s);
    if (s < 0) return false;
    const Node &have = subject.nodes[s];
    if (want.kind != have.kind) return false;
    if (want.kind == Node::Kind::Const) return want.value == have.value && rest(bound);
    if (want.kind != Node::Kind::Call || want.fn != have.fn) return false;
    const std::vector<int> args = have.args; // a copy: looking through reads adds nodes
    if (matchArguments(want.args, args, 0, bound, rest)) return true;
    if (!use.commute || !isCommutative(want.fn)) return false;
    return matchArguments({want.args[1], want.args[0]}, args, 0, bound, rest);
  }

 private:
  bool matchLetter(int letter, int s, Bindings &bound, Continue rest) const {
    if (letter == letterId(numberLetter) && !isPositiveNumber(subject.nodes[s])) return false;
    int &node = bound.of(letter);
    if (node != Bindings::none) return node == s && rest(bound);
    node = s;
    if (rest(bound)) return true;
    node = Bindings::none;
    return false;
  }

  static bool isPositiveNumber(const Node &n) { return n.kind == Node::Kind::Const && n.value > 0; }

  bool matchArguments(const std::vector<int> &p, const std::vector<int> &s, std::size_t i, Bindings &bound, Continue rest) const {
    if (i == p.size()) return rest(bound);
    return match(p[i], s[i], bound, [&](Bindings &b) { return matchArguments(p, s, i + 1, b, rest); });
  }

  const Body &pattern;
  Body &subject;
  const RuleUse &use;
};

} // namespace

int apply(const ParsedRule &rule, Body &b, int n, const RuleUse &use) {
  if (rule.from.nodes[rule.from.root].fn != b.nodes[n].fn) return -1;
  Bindings bound;
  const auto holds = [&](Bindings &found) { return !use.holds || use.holds(found); };
  if (!Matcher(rule.from, b, use).match(rule.from.root, n, bound, holds)) return -1;
  return b.copy(rule.to, rule.to.root, {}, [&](int letter) {
    const Node &l = rule.to.nodes[letter];
    return isLetter(l) ? bound.of(l.id) : -1;
  });
}

Body rebuilt(Body from, FunctionRef<int(Body &, int)> rewrite) {
  Body next;
  std::vector<int> made;
  for (Node &n : from.nodes) {
    for (int &a : n.args)
      a = made[a];
    made.push_back(rewrite(next, next.add(std::move(n))));
  }
  next.root = made[from.root];
  next.compact();
  return next;
}

} // namespace netc::passes
