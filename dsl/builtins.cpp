// Built-in functions: what asks a tensor, casts, whole-number division, where and stop_gradient.
#include "dsl/elaborator.h"

#include <cmath>
#include <fmt/format.h>

namespace netc::dsl {

namespace {

bool isType(const std::string &name) {
  return name == "f32" || name == "i32" || name == "bool";
}

} // namespace

bool asksTensor(const std::string &name) {
  return name == "rank" || name == "shape" || name == "class_count" || name == "is_integer";
}

Value Elaborator::builtin(const Expr &e) {
  if (e.text == "each" || e.text == "all" || e.text == "product" || e.text == "ravel") return packBuiltin(e);
  if (e.text == "uniform") return uniform(e);
  const bool whole = e.text == "shape" && e.args.size() == 1; // shape(x): all its extents
  const bool takesTwo = e.text == "div" || e.text == "mod" || (e.text == "shape" && !whole);
  const std::size_t expected = e.text == "where" ? 3 : takesTwo ? 2 : 1;
  if (e.args.size() != expected) return excuse(e), fail(e.location, fmt::format("{} takes {} argument{}, found {}", e.text, expected,
                                        expected == 1 ? "" : "s", e.args.size()));
  for (const Argument &a : e.args)
    if (!a.name.empty()) return fail(a.location, fmt::format("{} takes its arguments by position", e.text));
  if (e.text == "stop_gradient") return stopGradient(e);
  if (isType(e.text)) return cast(e);
  if (e.text == "div" || e.text == "mod") return divided(e);
  if (asksTensor(e.text)) {
    const Value v = wholeArgument(e.operand(0), qualified(e.text));
    if (v.isError()) return v;
    if (waits(v, e.operand(0).location)) return Value::error();
    if (!v.isTensor())
      return fail(e.operand(0).location, fmt::format("expected a tensor, found {}", describe(v)));
    if (e.text == "rank") return Value::ofNumber(static_cast<double>(v.lazy.shape.size()));
    if (e.text == "is_integer") return Value::ofBoolean(v.lazy.dtype() == DType::I32);
    if (e.text == "class_count") {
      const int t = wholeTensor(v.lazy);
      return Value::ofNumber(t < 0 ? 0 : out.graph.tensors[static_cast<std::size_t>(t)].classes);
    }
    const auto extentOf = [](const graph::Extent &x) {
      return x.batch ? Value::ofBatch() : Value::ofNumber(static_cast<double>(x.size));
    };
    if (whole) {
      std::vector<Value> extents;
      for (const graph::Extent &x : v.lazy.shape)
        extents.push_back(extentOf(x));
      return Value::ofPack(std::move(extents));
    }
    const std::optional<std::int64_t> d = integer(e.operand(1), "the dimension");
    if (!d) return Value::error();
    if (*d < 0 || *d >= static_cast<std::int64_t>(v.lazy.shape.size()))
      return fail(e.operand(1).location, fmt::format("{} has no dimension {}", describe(v), *d));
    return extentOf(v.lazy.shape[static_cast<std::size_t>(*d)]);
  }
  std::vector<Value> args; // of where
  for (const Argument &a : e.args)
    args.push_back(evaluate(*a.value));
  return select(std::move(args[0]), std::move(args[1]), std::move(args[2]), e.location);
}

/// div(a, b) and mod(a, b) round down: exact for integers below 2^24.
Value Elaborator::divided(const Expr &e) {
  Value a = evaluate(e.operand(0)), b = evaluate(e.operand(1));
  if (a.isError() || b.isError()) return Value::error();
  if (b.isNumber() && b.number == 0) return fail(e.location, "division by zero");
  if (a.isNumber() && b.isNumber()) {
    const double q = std::floor(a.number / b.number);
    return Value::ofNumber(e.text == "div" ? q : a.number - q * b.number);
  }
  Value q = apply(Fn::Floor, {apply(Fn::Div, {a, b}, e.location)}, e.location);
  if (e.text == "div") return q;
  return apply(Fn::Sub, {std::move(a), apply(Fn::Mul, {std::move(q), std::move(b)}, e.location)}, e.location);
}

/// f32(x), i32(x) and bool(x). i32 cuts off what stands behind the point; what no i32 holds becomes the nearest one, NaN 0.
Value Elaborator::cast(const Expr &e) {
  constexpr double least = -2147483648.0, most = 2147483520.0; // the last f32 before 2^31
  Value v = evaluate(e.operand(0));
  if (v.isError()) return v;
  if (e.text == "bool")
    return v.isBoolean() || v.isCondition()
               ? v
               : compare("!=", std::move(v), Value::ofNumber(0), e.location);
  const bool real = e.text == "f32";
  if (v.isBoolean()) return Value::ofNumber(v.number);
  if (v.isNumber()) {
    if (real) return v;
    if (std::isnan(v.number)) return Value::ofNumber(0);
    return Value::ofNumber(std::trunc(std::fmin(std::fmax(v.number, least), 2147483647.0)));
  }
  if ((real && v.isScalarProgram()) || (!real && v.kind == Value::Kind::Index)) return v;
  std::optional<Lazy> l = toLazy(v, e.location);
  if (!l) return Value::error();
  resolveGuards(*l, e.location);
  graph::Body &b = l->body;
  if (l->dtype() == DType::Bool) {
    toNumber(*l, real ? DType::F32 : DType::I32);
  } else if (real && l->dtype() == DType::I32) {
    b.root = b.call(Fn::ToReal, b.root);
  } else if (!real && l->dtype() == DType::F32) {
    const int inside = b.call(Fn::Minimum, b.call(Fn::Maximum, b.root, b.constant(least)), b.constant(most));
    b.root = b.call(Fn::ToInt, b.call(Fn::Select, b.call(Fn::Eq, b.root, b.root), inside, b.constant(0)));
  }
  return Value::ofLazy(std::move(*l));
}

/// The value as a formula of its own, which the gradient does not enter.
Value Elaborator::stopGradient(const Expr &e) {
  const Value v = evaluate(e.operand(0));
  if (v.isError() || v.isNumber()) return v;
  std::optional<Lazy> l = toLazy(v, e.location);
  if (!l || !prepare(*l, e.location)) return Value::error();
  if (!readsTensor(*l)) return v; // there is nothing to stop: it stays a number for each element
  Label name = temporary(".shift", e.location);
  name.origin = "stop_gradient";
  return Value::ofLazy(out.spill(graph::Combine::Assign, *l, {}, {}, std::nullopt, name));
}

} // namespace netc::dsl
