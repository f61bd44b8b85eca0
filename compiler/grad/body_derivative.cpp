#include "compiler/grad/body_derivative.h"

#include "compiler/graph/text.h"

namespace netc::grad {

using graph::Body;
using graph::Node;

namespace {

/// The value of a constant node, a negated one included.
std::optional<double> constantValue(const Body &b, int n) {
  const Node &node = b.nodes[n];
  if (node.kind == Node::Kind::Const) return node.value;
  if (node.kind == Node::Kind::Call && node.fn == Fn::Neg)
    if (auto v = constantValue(b, node.args[0])) return -*v;
  return std::nullopt;
}

bool isCall(const Body &b, int n, Fn f) {
  return b.nodes[n].kind == Node::Kind::Call && b.nodes[n].fn == f;
}

/// 0, 1, -1 and selections among these.
bool isPick(const Body &b, int n) {
  if (auto v = constantValue(b, n)) return *v == 0 || *v == 1 || *v == -1;
  if (!isCall(b, n, Fn::Select)) return false;
  const std::vector<int> args = b.nodes[n].args;
  return isPick(b, args[1]) && isPick(b, args[2]);
}

bool isZero(const Body &b, int n) {
  const auto v = constantValue(b, n);
  return v && *v == 0;
}

/// adjoint * d, -1 when that is zero everywhere. Where either selects 0 the product is 0, whatever the other is.
int times(Body &b, int adjoint, int d) {
  if (auto v = constantValue(b, d)) {
    if (*v == 0) return -1;
    if (*v == 1) return adjoint;
    if (*v == -1) return b.call(Fn::Neg, adjoint);
  }
  const Node node = b.nodes[d]; // a copy: adding nodes moves the others
  if (isPick(b, d)) {
    const int yes = times(b, adjoint, node.args[1]);
    const int no = times(b, adjoint, node.args[2]);
    if (yes < 0 && no < 0) return -1;
    auto orZero = [&](int n) { return n < 0 ? b.constant(0) : n; };
    return b.call(Fn::Select, node.args[0], orZero(yes), orZero(no));
  }
  if (isCall(b, adjoint, Fn::Select)) {
    const std::vector<int> args = b.nodes[adjoint].args;
    if (isZero(b, args[1])) return b.call(Fn::Select, args[0], args[1], times(b, args[2], d));
    if (isZero(b, args[2])) return b.call(Fn::Select, args[0], times(b, args[1], d), args[2]);
  }
  if (isCall(b, d, Fn::Div)) {
    const auto numerator = constantValue(b, node.args[0]);
    if (numerator && *numerator == 1) return b.call(Fn::Div, adjoint, node.args[1]);
  }
  if (isCall(b, d, Fn::Neg)) return b.call(Fn::Neg, times(b, adjoint, node.args[0]));
  return b.call(Fn::Mul, adjoint, d);
}

class ReverseAccumulation {
 public:
  ReverseAccumulation(const BodyProblem &problem, const std::function<void(Fn, int)> &missing)
      : given(problem), from(problem.body), missing(missing), adjoint(from.nodes.size(), -1) {
    for (const Node &n : from.nodes)
      depends.push_back(dependsOnWanted(n));
  }

  std::vector<Partial> run() {
    if (from.root < 0 || !depends[from.root]) return {};
    adjoint[from.root] = given.seed(to);
    for (int n = from.root; n >= 0; --n)
      if (adjoint[n] >= 0 && depends[n] && from.nodes[n].kind == Node::Kind::Call) propagate(n);
    std::vector<Partial> partials;
    for (std::size_t n = 0; n < from.nodes.size(); ++n)
      if (isWantedRead(from.nodes[n]) && adjoint[n] >= 0) partials.push_back(partial(static_cast<int>(n)));
    return partials;
  }

 private:
  bool isWantedRead(const Node &n) const {
    return n.kind == Node::Kind::Read && n.dtype == DType::F32 && given.wants(n.id);
  }

  bool dependsOnWanted(const Node &n) const {
    if (isWantedRead(n)) return true;
    for (int a : n.args)
      if (depends[a]) return true;
    return false;
  }

  /// The forward value of node n in the new body.
  int forward(int n) {
    if (n == from.root && given.ownResult) return to.add(*given.ownResult);
    return to.copy(from, n);
  }

  void propagate(int n) {
    const Node &call = from.nodes[n];
    for (int i = 0; i < static_cast<int>(call.args.size()); ++i) {
      const int arg = call.args[i];
      if (!depends[arg]) continue;
      const std::string_view text = given.table(call.fn, i);
      if (text.empty()) {
        missing(call.fn, i);
        continue;
      }
      if (text == "0" || from.nodes[arg].dtype != DType::F32) continue;
      const int part = times(to, adjoint[n], derivative(text, n));
      if (part >= 0) adjoint[arg] = adjoint[arg] < 0 ? part : to.call(Fn::Add, adjoint[arg], part);
    }
  }

  int derivative(std::string_view text, int n) {
    const std::vector<int> &args = from.nodes[n].args;
    return graph::parseExpression(text, to, [&](std::string_view name) {
      if (name == "y") return forward(n);
      if (name.size() != 1 || name[0] < 'a' || name[0] >= static_cast<char>('a' + args.size())) return -1;
      return forward(args[name[0] - 'a']);
    });
  }

  Partial partial(int n) {
    Partial p{from.nodes[n], {}};
    p.body.root = p.body.copy(to, adjoint[n]);
    return p;
  }

  const BodyProblem &given;
  const Body &from;
  const std::function<void(Fn, int)> &missing;
  Body to;                   // forward values and adjoints together, so that they share nodes
  std::vector<int> adjoint;  // of `from`'s nodes, in `to`; -1: none
  std::vector<char> depends; // of `from`'s nodes
};

} // namespace

std::vector<Partial> differentiateBody(const BodyProblem &problem,
                                       const std::function<void(Fn, int)> &missing) {
  return ReverseAccumulation(problem, missing).run();
}

} // namespace netc::grad
