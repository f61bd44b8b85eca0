// Arithmetic on values: constants fold, run-time scalars stay programs, affine indices stay affine, and all
// else becomes nodes of a body.
#include "dsl/elaborator.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <numeric>

namespace netc::dsl {

namespace {

std::optional<ScalarOp::Code> programCode(Fn f) {
  switch (f) {
  case Fn::Add:
    return ScalarOp::Add;
  case Fn::Sub:
    return ScalarOp::Sub;
  case Fn::Mul:
    return ScalarOp::Mul;
  case Fn::Div:
    return ScalarOp::Div;
  case Fn::Pow:
    return ScalarOp::Pow;
  case Fn::Neg:
    return ScalarOp::Neg;
  case Fn::Exp:
    return ScalarOp::Exp;
  case Fn::Log:
    return ScalarOp::Log;
  case Fn::Sqrt:
    return ScalarOp::Sqrt;
  case Fn::Cos:
    return ScalarOp::Cos;
  case Fn::Floor:
    return ScalarOp::Floor;
  case Fn::Minimum:
    return ScalarOp::Minimum;
  case Fn::Maximum:
    return ScalarOp::Maximum;
  default:
    return std::nullopt; // the others are computed by the kernels
  }
}

bool isInteger(const Value &v) {
  return v.isNumber() && v.number == std::floor(v.number) && std::abs(v.number) < 1e9;
}

bool isAffine(const Value &v) {
  return v.kind == Value::Kind::Index || isInteger(v);
}

Affine affineOf(const Value &v) {
  return v.kind == Value::Kind::Index ? v.affine : Affine(static_cast<std::int64_t>(v.number));
}

/// Index arithmetic that stays affine.
std::optional<Value> applyAffine(Fn f, const std::vector<Value> &args) {
  bool any = false;
  for (const Value &v : args) {
    if (!isAffine(v)) return std::nullopt;
    any = any || v.kind == Value::Kind::Index;
  }
  if (!any) return std::nullopt;
  const Affine a = affineOf(args[0]);
  if (f == Fn::Neg) return Value::ofIndex(a * -1);
  if (args.size() < 2) return std::nullopt;
  const Affine b = affineOf(args[1]);
  if (f == Fn::Add) return Value::ofIndex(a + b);
  if (f == Fn::Sub) return Value::ofIndex(a - b);
  if (f == Fn::Mul && (a.isConstant() || b.isConstant()))
    return Value::ofIndex(a.isConstant() ? b * a.constant() : a * b.constant());
  return std::nullopt;
}

} // namespace

Value Elaborator::apply(Fn f, std::vector<Value> args, const Location &at) {
  bool numbers = true, programs = true;
  for (const Value &v : args) {
    if (v.isError()) return v;
    numbers = numbers && v.isNumber();
    programs = programs && v.isScalarProgram();
  }
  if (numbers) {
    double x[3] = {};
    bool finite = true; // inf may be written, but does not come about
    for (std::size_t i = 0; i < args.size(); ++i) {
      x[i] = args[i].number;
      finite = finite && std::isfinite(x[i]);
    }
    const double y = row(f).value(x);
    if (f == Fn::Div && x[1] == 0) return fail(at, "division by zero");
    if (finite && std::isinf(y)) return fail(at, fmt::format("{} of these constants is infinite", row(f).name));
    if (!std::isnan(y)) return Value::ofNumber(y);
    return fail(at, fmt::format("{} of these constants is not a number", row(f).name));
  }
  if (const auto code = programCode(f); programs && code) {
    std::vector<ScalarOp> program;
    for (const Value &v : args)
      append(program, v);
    program.push_back({*code});
    if (program.size() > 1000) return fail(at, "this run-time number takes more than 1000 operations");
    return Value::ofProgram(std::move(program));
  }
  if (std::optional<Value> v = applyAffine(f, args)) return *v;
  std::vector<Lazy> lazies;
  for (const Value &v : args) {
    std::optional<Lazy> l = toLazy(v, at);
    if (!l) return Value::error();
    if (l->dtype() == DType::Bool) return fail(at, "a condition is not a number: write [a < b] for 1 and 0");
    lazies.push_back(std::move(*l));
  }
  return applyLazy(f, std::move(lazies), at);
}

namespace {

std::vector<int> dimensions(const Extents &shape) {
  std::vector<int> variables(shape.size());
  std::iota(variables.begin(), variables.end(), 0);
  return variables;
}

} // namespace

Value Elaborator::applyLazy(Fn f, std::vector<Lazy> args, const Location &at) {
  // A guarded factor stays guarded, so that a reduction around it can drop the points.
  const bool keeps = f == Fn::Mul || f == Fn::Neg;
  for (std::size_t i = 0; i < args.size(); ++i)
    if (!keeps && !(f == Fn::Div && i == 0)) resolveGuards(args[i], at);
  Extents shape;
  if (!sameShape(args, shape, at)) return Value::error();
  Lazy l = std::move(args[0]);
  std::vector<int> nodes{l.body.root};
  for (std::size_t i = 1; i < args.size(); ++i) {
    nodes.push_back(copyNode(l.body, args[i].body, args[i].body.root));
    for (Guard &g : args[i].guards) {
      g.node = copyNode(l.body, args[i].body, g.node);
      l.guards.push_back(std::move(g));
    }
    l.unsafe.insert(l.unsafe.end(), args[i].unsafe.begin(), args[i].unsafe.end());
  }
  const auto isOne = [&](int n) {
    const graph::Node &x = l.body.nodes[n];
    return x.kind == graph::Node::Kind::Const && x.dtype == DType::F32 && x.value == 1;
  };
  if (f == Fn::Mul && isOne(nodes[0]) && !l.guards.empty())
    l.body.root = nodes[1]; // [c] * e is e where c
  else if (f == Fn::Mul && isOne(nodes[1]) && !l.guards.empty())
    l.body.root = nodes[0];
  else
    l.body.root = l.body.call(f, nodes);
  l.condition.reset();
  l.shape = std::move(shape);
  if (!l.shape.empty() && needsNumbers(l)) numberElements(l, out.ordinal(dimensions(l.shape), l)); // of a whole tensor
  return Value::ofLazy(std::move(l));
}

/// Equal shapes, or a single number beside any shape.
bool Elaborator::sameShape(std::vector<Lazy> &args, Extents &shape, const Location &at) {
  for (const Lazy &l : args) {
    if (l.shape.empty()) continue;
    if (shape.empty()) shape = l.shape;
    if (shape == l.shape) continue;
    report(at, fmt::format("the shapes {} and {} differ", str(shape), str(l.shape)));
    if (shape.size() != l.shape.size())
      note(at,
           "only single numbers broadcast: write the formula with indices, as in y[n, k] = x[n, k] + b[k]");
    return false;
  }
  if (shape.empty()) return true;
  for (const Lazy &l : args) {
    if (!l.shape.empty() || freeIndices(l).empty()) continue;
    report(at, fmt::format("a whole tensor of shape {} meets an expression with indices: give it subscripts",
                           str(shape)));
    return false;
  }
  return true;
}

std::optional<Lazy> Elaborator::toLazy(const Value &v, const Location &at) {
  switch (v.kind) {
  case Value::Kind::Error:
    return std::nullopt;
  case Value::Kind::Number:
    if (std::isfinite(v.number) && std::isinf(static_cast<float>(v.number))) {
      report(at, fmt::format("the number {} is too large for f32", v.number));
      return std::nullopt;
    }
    return out.constant(v.number);
  case Value::Kind::Program:
    return out.scalar(v.text, v.program);
  case Value::Kind::Batch:
    return out.scalar("count", {{ScalarOp::Count}});
  case Value::Kind::Index: {
    Lazy l;
    l.body.root = l.body.index(v.affine);
    return l;
  }
  case Value::Kind::Tensor:
    return v.lazy;
  case Value::Kind::List: {
    Value read = listValue(v, qualified("literal"), at);
    if (read.isError()) return std::nullopt;
    return std::move(read.lazy);
  }
  case Value::Kind::Layer:
    if (!waits(v, at)) report(at, fmt::format("'{0}' is a function: call it, as in {0}(x)", v.layer->name));
    return std::nullopt;
  case Value::Kind::Boolean:
  case Value::Kind::Text:
  case Value::Kind::Pack:
    break;
  }
  report(at, fmt::format("expected a number, found {}", describe(v)));
  if (v.kind == Value::Kind::Pack) note(at, "to compute with each of a pack's numbers, write ... behind the whole");
  return std::nullopt;
}

std::optional<Lazy> Elaborator::toCondition(const Value &v, const Location &at) {
  if (v.isError()) return std::nullopt;
  if (v.isBoolean()) {
    Lazy l = out.constant(v.number, DType::Bool);
    l.condition.emplace();
    if (v.number == 0) l.condition->push_back(Affine(-1));
    return l;
  }
  if (v.kind == Value::Kind::List && v.booleans) return toLazy(v, at);
  if (v.isCondition()) return v.lazy;
  report(at, fmt::format("expected a condition such as a < b, found {}", describe(v)));
  return std::nullopt;
}

void Elaborator::resolveGuards(Lazy &l, const Location &at) {
  if (l.guards.empty()) return;
  std::vector<Guard> guards = std::move(l.guards);
  l.guards.clear();
  std::vector<Affine> affine;
  int condition = -1;
  const bool needed = !l.unsafe.empty(); // then the points outside must not exist
  for (const Guard &g : guards) {
    if (needed && g.affine)
      affine.insert(affine.end(), g.inequalities.begin(), g.inequalities.end());
    else
      condition = condition < 0 ? g.node : l.body.call(Fn::And, condition, g.node);
  }
  if (condition >= 0) l.body.root = l.body.call(Fn::Select, condition, l.body.root, l.body.constant(0));
  if (affine.empty()) return;
  l.unsafe.clear(); // the verifier proves them in range
  l = out.spill(graph::Combine::Assign, l, {}, std::move(affine), 0.0, temporary(".where", at));
}

bool Elaborator::prepare(Lazy &l, const Location &at) {
  resolveGuards(l, at);
  if (l.dtype() == DType::Bool) {
    report(at, "a condition is not a number: write [a < b] for 1 and 0");
    return false;
  }
  for (const UnsafeRead &u : l.unsafe) {
    report(u.location, u.message);
    note(u.location, "make the range smaller, or guard the read, as in [i > 0] * x[i - 1]");
  }
  const bool good = l.unsafe.empty();
  l.unsafe.clear();
  return good;
}

/// Of a number that reads no tensor and no count of a run.
std::optional<double> Elaborator::constantValue(const Lazy &l) const {
  const std::vector<graph::Node> &nodes = l.body.nodes;
  const std::function<std::optional<double>(int)> value = [&](int n) -> std::optional<double> {
    const graph::Node &node = nodes[static_cast<std::size_t>(n)];
    if (node.kind == graph::Node::Kind::Const) return node.value;
    if (node.kind == graph::Node::Kind::Scalar) {
      const std::vector<ScalarOp> &program = out.graph.scalars[static_cast<std::size_t>(node.id)].program;
      return isConstant(program) ? std::optional(netc::evaluate(program, {})) : std::nullopt;
    }
    if (node.kind != graph::Node::Kind::Call) return std::nullopt;
    double x[3] = {};
    for (std::size_t i = 0; i < node.args.size(); ++i)
      if (const std::optional<double> v = value(node.args[i])) x[i] = *v;
      else return std::nullopt;
    return row(node.fn).value(x);
  };
  return value(l.body.root);
}

Value Elaborator::negate(Value v, const Location &at) {
  return apply(Fn::Neg, {std::move(v)}, at);
}

Value Elaborator::power(Value a, Value b, const Location &at) {
  constexpr double largest = 32;
  if (!b.isNumber() || a.isScalarProgram() || std::abs(b.number) > largest)
    return apply(Fn::Pow, {std::move(a), std::move(b)}, at);
  if (b.number == 0.5) return apply(Fn::Sqrt, {std::move(a)}, at);
  if (b.number != std::floor(b.number)) return apply(Fn::Pow, {std::move(a), std::move(b)}, at);
  std::optional<Lazy> l = toLazy(a, at);
  if (!l) return Value::error();
  resolveGuards(*l, at);
  if (l->dtype() == DType::Bool) return fail(at, "a condition is not a number: write [a < b] for 1 and 0");
  int square = l->body.root, power = -1;
  for (int n = static_cast<int>(std::abs(b.number)); n > 0; n /= 2) {
    if (n % 2) power = power < 0 ? square : l->body.call(Fn::Mul, power, square);
    if (n > 1) square = l->body.call(Fn::Mul, square, square);
  }
  if (power < 0) return Value::ofNumber(1);
  if (b.number < 0) power = l->body.call(Fn::Div, l->body.constant(1), power);
  l->body.root = power;
  return Value::ofLazy(std::move(*l));
}

Value Elaborator::select(Value c, Value a, Value b, const Location &at) {
  if (c.isError() || a.isError() || b.isError()) return Value::error();
  if (c.isBoolean()) return c.number != 0 ? a : b;
  std::optional<Lazy> condition = toCondition(c, at), yes = toLazy(a, at), no = toLazy(b, at);
  if (!condition || !yes || !no) return Value::error();
  if (yes->dtype() == DType::Bool || no->dtype() == DType::Bool)
    return fail(at, "a condition is not a number: write [a < b] for 1 and 0");
  return applyLazy(Fn::Select, {std::move(*condition), std::move(*yes), std::move(*no)}, at);
}

namespace {

/// What is not negative exactly when the comparison of two integers holds; none for !=.
std::optional<std::vector<Affine>> inequalities(const std::string &op, const Affine &a, const Affine &b) {
  if (op == "<") return {{b - a - 1}};
  if (op == "<=") return {{b - a}};
  if (op == ">") return {{a - b - 1}};
  if (op == ">=") return {{a - b}};
  if (op == "==") return {{a - b, b - a}};
  return std::nullopt;
}

bool holds(const std::string &op, double a, double b) {
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  if (op == ">=") return a >= b;
  return (op == "==") == (a == b);
}

bool sameNumber(const Value &a, const Value &b) {
  return a.kind == b.kind && a.number == b.number;
}

/// A real constant beside an integer is an integer, if it is one.
void matchInteger(Lazy &a, const Lazy &other) {
  const graph::Node n = a.root();
  if (n.kind == graph::Node::Kind::Const && n.dtype == DType::F32 && other.dtype() == DType::I32 &&
      n.value == std::floor(n.value) && std::abs(n.value) < 1e9)
    a.body.root = a.body.constant(n.value, DType::I32);
}

bool holdsBooleans(const Value &v) {
  return v.isBoolean() || v.isCondition() || (v.kind == Value::Kind::List && v.booleans);
}

} // namespace

Value Elaborator::compare(const std::string &op, Value a, Value b, const Location &at) {
  using K = Value::Kind;
  const bool equality = op == "==" || op == "!=";
  if (equality && a.kind == K::Pack) // shape(a) == shape(b), S == [3, 3]
    if (const auto x = elementsOf(a), y = elementsOf(b); y)
      return Value::ofBoolean((op == "==") == std::equal(x->begin(), x->end(), y->begin(), y->end(), sameNumber));
  if ((a.isNumber() && b.isNumber()) || (equality && a.isBoolean() && b.isBoolean()))
    return Value::ofBoolean(holds(op, a.number, b.number));
  if (equality && a.kind == K::Text && b.kind == K::Text)
    return Value::ofBoolean((op == "==") == (a.text == b.text));
  if (equality && (a.kind == K::Batch || b.kind == K::Batch) && a.isScalarProgram() && b.isScalarProgram() &&
      a.kind != K::Program && b.kind != K::Program)
    return Value::ofBoolean((op == "==") == (a.kind == b.kind));
  std::optional<std::vector<Affine>> condition;
  if (isAffine(a) && isAffine(b)) condition = inequalities(op, affineOf(a), affineOf(b));
  const bool conditions = equality && holdsBooleans(a) && holdsBooleans(b);
  const auto side = [&](const Value &v) { return conditions ? toCondition(v, at) : toLazy(v, at); };
  std::optional<Lazy> x = side(a), y = side(b);
  if (!x || !y) return Value::error();
  if (!conditions && (x->dtype() == DType::Bool || y->dtype() == DType::Bool))
    return fail(at, "a condition is not a number: join conditions with 'and' and 'or'");
  if (conditions) toNumber(*x, DType::I32), toNumber(*y, DType::I32);
  matchInteger(*x, *y);
  matchInteger(*y, *x);
  if (op == ">" || op == ">=") std::swap(x, y);
  const Fn f = op == "==" ? Fn::Eq : op == "!=" ? Fn::Ne : op == "<" || op == ">" ? Fn::Lt : Fn::Le;
  Value v = applyLazy(f, {std::move(*x), std::move(*y)}, at);
  if (!v.isError()) v.lazy.condition = std::move(condition);
  return v;
}

Value Elaborator::logic(const std::string &op, Value a, Value b, const Location &at) {
  if (a.isError() || b.isError()) return Value::error();
  if (a.isBoolean() && b.isBoolean()) {
    const bool x = a.number != 0, y = b.number != 0;
    return Value::ofBoolean(op == "not" ? !x : op == "and" ? x && y : x || y);
  }
  std::optional<Lazy> x = toCondition(a, at), y = toCondition(b, at);
  if (!x || !y) return Value::error();
  std::optional<std::vector<Affine>> condition;
  if (op == "not") {
    if (x->condition && x->condition->size() == 1) condition = {{(*x->condition)[0] * -1 - 1}};
    Value v = applyLazy(Fn::Not, {std::move(*x)}, at);
    if (!v.isError()) v.lazy.condition = std::move(condition);
    return v;
  }
  if (op == "and" && x->condition && y->condition) {
    condition = x->condition;
    condition->insert(condition->end(), y->condition->begin(), y->condition->end());
  }
  Value v = applyLazy(op == "and" ? Fn::And : Fn::Or, {std::move(*x), std::move(*y)}, at);
  if (!v.isError()) v.lazy.condition = std::move(condition);
  return v;
}

} // namespace netc::dsl
