#include "compiler/passes/rules.h"

#include "compiler/graph/text.h"
#include "compiler/passes/fold.h"
#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <array>

namespace netc::passes {

using graph::Body;
using graph::Node;

namespace {

constexpr Rule table[] = {
    // neutral elements
    {"x + 0", "x", Holds::Always},
    {"x - 0", "x", Holds::Always},
    {"0 - x", "neg(x)", Holds::Always},
    {"x * 1", "x", Holds::Always},
    {"x * -1", "neg(x)", Holds::Always},
    {"x / 1", "x", Holds::Always},
    {"x / -1", "neg(x)", Holds::Always},
    {"0 * x", "0", Holds::IfStored},
    // signs move outward and meet
    {"neg(neg(x))", "x", Holds::Always, Scope::Both},
    {"x - neg(y)", "x + y", Holds::Always},
    {"x + neg(y)", "x - y", Holds::Always},
    {"neg(x - y)", "y - x", Holds::Always},
    {"neg(x) * y", "neg(x * y)", Holds::Always},
    {"x * neg(y)", "neg(x * y)", Holds::Always},
    {"neg(x) / y", "neg(x / y)", Holds::Always},
    {"x / neg(y)", "neg(x / y)", Holds::Always},
    {"abs(neg(x))", "abs(x)", Holds::Always},
    {"abs(abs(x))", "abs(x)", Holds::Always},
    {"relu(relu(x))", "relu(x)", Holds::Always},
    {"maximum(x, x)", "x", Holds::Always},
    {"minimum(x, x)", "x", Holds::Always},
    // selection; [c] * x means select(c, x, 0), so products pass into it
    {"select(true, x, y)", "x", Holds::Always},
    {"select(false, x, y)", "y", Holds::Always},
    {"select(c, x, x)", "x", Holds::Always},
    {"select(not(c), x, y)", "select(c, y, x)", Holds::Always},
    {"select(c, select(c, x, y), z)", "select(c, x, z)", Holds::Always},
    {"select(c, x, select(c, y, z))", "select(c, x, z)", Holds::Always},
    {"select(c, 1, 0) != 0", "c", Holds::Always, Scope::Both},
    {"select(c, x, 0) * y", "select(c, x * y, 0)", Holds::IfFinite},
    {"select(c, 0, x) * y", "select(c, 0, x * y)", Holds::IfFinite},
    {"y * select(c, x, 0)", "select(c, y * x, 0)", Holds::IfFinite},
    {"y * select(c, 0, x)", "select(c, 0, y * x)", Holds::IfFinite},
    {"select(c, x, 0) / y", "select(c, x / y, 0)", Holds::IfFinite},
    {"select(c, 0, x) / y", "select(c, 0, x / y)", Holds::IfFinite},
    // logic
    {"not(not(c))", "c", Holds::Always},
    {"and(c, true)", "c", Holds::Always},
    {"and(c, false)", "false", Holds::Always},
    {"and(c, c)", "c", Holds::Always},
    {"or(c, false)", "c", Holds::Always},
    {"or(c, true)", "true", Holds::Always},
    {"or(c, c)", "c", Holds::Always},
    // powers and quotients
    {"pow(x, 1)", "x", Holds::Always},
    {"pow(x, 2)", "x * x", Holds::Always},
    {"pow(x, 0)", "1", Holds::Always},
    {"pow(x, -1)", "1 / x", Holds::Always},
    {"sqrt(x * x)", "abs(x)", Holds::IfFinite, Scope::Both},
    {"x * (1 / y)", "x / y", Holds::IfFinite},
    {"exp(x) * (1 / y)", "exp(x) / y", Holds::IfFinite, Scope::Names},
    // cancellations
    {"x / x", "1", Holds::IfFinite, Scope::Both},
    {"x * y / x", "y", Holds::IfFinite, Scope::Both},
    {"x * y / (x * z)", "y / z", Holds::IfFinite, Scope::Both},
    {"x / (x * y)", "1 / y", Holds::IfFinite, Scope::Both},
    {"x * (y / x)", "y", Holds::IfFinite, Scope::Both},
    {"sqrt(x) * sqrt(x)", "x", Holds::IfFinite, Scope::Both},
    {"x - x", "0", Holds::IfFinite},
    {"x + y - x", "y", Holds::IfExact, Scope::Both},
    {"x - (x + y)", "neg(y)", Holds::IfExact, Scope::Both},
    {"x - (x - y)", "y", Holds::IfExact, Scope::Both},
    {"x + (y - x)", "y", Holds::IfExact, Scope::Both},
    {"x - y - x", "neg(y)", Holds::IfExact, Scope::Both},
    // the logistic function and its logarithm: exponentials that overflow as written and need not
    {"log(exp(x))", "x", Holds::IfFinite, Scope::Both},
    {"log(1 + exp(x))", "softplus(x)", Holds::IfFinite, Scope::Both},
    {"log1p(exp(x))", "softplus(x)", Holds::IfFinite, Scope::Both},
    {"log(sigmoid(x))", "neg(softplus(neg(x)))", Holds::IfFinite, Scope::Both},
    {"log(1 - sigmoid(x))", "neg(softplus(x))", Holds::IfExact, Scope::Both},
    {"log1p(neg(sigmoid(x)))", "neg(softplus(x))", Holds::IfExact, Scope::Both},
    {"1 / (1 + exp(x))", "sigmoid(neg(x))", Holds::IfFinite, Scope::Both},
    {"exp(x) / (1 + exp(x))", "sigmoid(x)", Holds::IfFinite, Scope::Both},
    {"x / (1 + exp(neg(x)))", "silu(x)", Holds::IfFinite, Scope::Both},
    {"x / (1 + exp(y))", "x * sigmoid(neg(y))", Holds::IfFinite, Scope::Both},
    {"1 - sigmoid(x)", "sigmoid(neg(x))", Holds::IfFinite, Scope::Names},
    {"(exp(x) - exp(neg(x))) / (exp(x) + exp(neg(x)))", "tanh(x)", Holds::IfFinite, Scope::Both},
    {"exp(x) / (exp(x) + exp(y))", "sigmoid(x - y)", Holds::IfFinite, Scope::Both},
    {"log(exp(x) + exp(y))", "select(y <= x, x + softplus(y - x), y + softplus(x - y))", Holds::IfFinite, Scope::Both},
    {"log(k + exp(x))", "select(log(k) <= x, x + softplus(log(k) - x), log(k) + softplus(x - log(k)))", Holds::IfFinite, Scope::Both},
    {"x * sigmoid(x)", "silu(x)", Holds::IfFinite, Scope::Both},
    {"sigmoid(x) / sigmoid(neg(x))", "exp(x)", Holds::IfFinite, Scope::Both},
    {"1 / exp(x)", "exp(neg(x))", Holds::IfFinite, Scope::Both},
    {"exp(x) * exp(neg(x))", "1", Holds::IfFinite, Scope::Both},
    // softmax, its logarithm and log(sum(exp)): stabilize writes a sum of exponentials as exp(x) * y
    {"exp(x) / exp(y)", "exp(x - y)", Holds::IfFinite, Scope::Both},
    {"exp(x) / (exp(y) * z)", "exp(x - y) / z", Holds::IfFinite, Scope::Both},
    {"exp(x) * y / (exp(z) * w)", "exp(x - z) * y / w", Holds::IfFinite, Scope::Both},
    {"log(exp(x) * y)", "x + log(y)", Holds::IfFinite, Scope::Both},
    {"log(exp(x) / y)", "x - log(y)", Holds::IfFinite, Scope::Both},
    {"log(x / exp(y))", "log(x) - y", Holds::IfFinite, Scope::Both},
    {"log(exp(x) * y * z)", "x + log(y * z)", Holds::IfFinite, Scope::Both},
    {"log(exp(x) * y * z * w)", "x + log(y * z * w)", Holds::IfFinite, Scope::Both},
    {"log(exp(x) * y / z)", "x + log(y / z)", Holds::IfFinite, Scope::Both},
    {"log(x / (exp(y) * z))", "log(x / z) - y", Holds::IfFinite, Scope::Both},
    // what is left when 1 is added or taken away
    {"exp(x) - 1", "expm1(x)", Holds::IfFinite, Scope::Both},
    {"1 - exp(x)", "neg(expm1(x))", Holds::IfFinite, Scope::Both},
    {"log(1 + x)", "log1p(x)", Holds::IfFinite, Scope::Both},
    {"log(1 - x)", "log1p(neg(x))", Holds::IfFinite, Scope::Both},
    {"log(neg(expm1(x)))", "log1mexp(x)", Holds::IfFinite, Scope::Both},
    {"log1p(neg(exp(x)))", "log1mexp(x)", Holds::IfExact, Scope::Both},
    {"log(expm1(x))", "x + log1mexp(neg(x))", Holds::IfExact, Scope::Both},
    {"1 + erf(x)", "erfc(neg(x))", Holds::IfFinite, Scope::Both},
    {"1 - erf(x)", "erfc(x)", Holds::IfFinite, Scope::Both},
    {"0.5 * x * erfc(neg(x / 1.4142135623730951))", "gelu(x)", Holds::IfFinite},
    {"x * (0.5 * erfc(neg(x / 1.4142135623730951)))", "gelu(x)", Holds::IfFinite},
};

int atom(Body &b, std::string_view name) {
  if (name == "true" || name == "false") return b.constant(name == "true", DType::Bool);
  if (name.size() != 1) return -1;
  Node n;
  n.kind = Node::Kind::Scalar;
  n.dtype = name[0] == 'c' || name[0] == 'd' ? DType::Bool : DType::F32;
  n.id = letterId(name[0]);
  return b.add(std::move(n));
}

Body parseSide(std::string_view text) {
  Body parsed, b;
  parsed.root =
      graph::parseExpression(text, parsed, [&](std::string_view name) { return atom(parsed, name); });
  b.root = foldConstants(b, parsed); // "-1" is a number
  b.compact();
  return b;
}

/// The weights: a node's measure is `own` plus `argument` times the sum of its arguments' measures.
struct Weight {
  std::int64_t own, argument;
};
Weight weight(Fn f) {
  switch (f) {
  case Fn::Mul:
  case Fn::Div:
    return {1, 2};
  case Fn::Pow:
    return {20, 4};
  case Fn::Log:
    return {10, 4}; // a logarithm of a sum of exponentials may become a sum that names each exponent four times
  case Fn::Sqrt:
  case Fn::Exp:
  case Fn::Expm1:
  case Fn::Log1p:
  case Fn::Log1mexp:
  case Fn::Tanh:
  case Fn::Sigmoid:
  case Fn::Softplus:
  case Fn::Silu:
  case Fn::Sin:
  case Fn::Cos:
  case Fn::Erf:
  case Fn::Erfc:
  case Fn::Gelu:
    return {10, 1};
  default:
    return {1, 1};
  }
}

bool isNumber(const Body &b, int node) {
  const Node &n = b.nodes[node];
  if (n.kind == Node::Kind::Call)
    return std::all_of(n.args.begin(), n.args.end(), [&](int a) { return isNumber(b, a); });
  return n.kind == Node::Kind::Const || (isLetter(n) && n.id == letterId(numberLetter));
}

} // namespace

std::span<const Rule> rules() {
  return table;
}

std::span<const ParsedRule> parsedRules() {
  static const std::vector<ParsedRule> parsed = [] {
    std::vector<ParsedRule> all;
    for (const Rule &r : table)
      all.push_back({&r, parseSide(r.from), parseSide(r.to)});
    return all;
  }();
  return parsed;
}

RulesByRoot rulesExcept(Scope scope) {
  RulesByRoot rules;
  for (const ParsedRule &r : parsedRules())
    if (r.text->scope != scope) rules[static_cast<std::size_t>(r.from.nodes[r.from.root].fn)].push_back(&r);
  return rules;
}

bool isCommutative(Fn f) {
  return f == Fn::Add || f == Fn::Mul || f == Fn::And || f == Fn::Or || f == Fn::Eq || f == Fn::Ne;
}

Measure measure(const Body &b, int node) {
  const Node &n = b.nodes[node];
  if (isNumber(b, node)) return {1, {}};
  if (isLetter(n)) return {0, {{n.id, 1}}};
  if (n.kind != Node::Kind::Call) return {1, {}};
  const Weight w = weight(n.fn);
  Measure m{w.own, {}};
  for (int a : n.args) {
    const Measure part = measure(b, a);
    m.constant += w.argument * part.constant;
    for (auto &[id, factor] : part.letters)
      m.letters[id] += w.argument * factor;
  }
  return m;
}

} // namespace netc::passes
