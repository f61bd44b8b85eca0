#include "compiler/graph/bounded.h"

#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace netc::graph {

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

/// The promised accuracy of an expansion, in units of 2^-24.
double tableUlps(Fn f) { return 2 * row(f).ulps; }

/// The result of one float32 operation with the propagated error.
Bounded operation(double value, double propagated, double ulps = 1) {
  const double error = slack * (propagated + ulps * unitRoundoff * (std::fabs(value) + propagated)) + underflow;
  if (!(std::fabs(value) + error < std::numeric_limits<float>::max() / 2))
    return {value, unbounded}; // may overflow in float32, or is not finite already
  return {value, error};
}

bool exact(const Bounded &b) { return b.error == 0; }

bool mayChange(Fn f, const Bounded &a, const Bounded &b) {
  if (exact(a) && exact(b))
    return false;
  const double distance = std::fabs(a.value - b.value), reach = a.error + b.error;
  return !(distance > reach) || (f == Fn::Le && distance == reach);
}

Bounded quotient(const Bounded &a, const Bounded &b) {
  const double q = a.value / b.value, least = std::fabs(b.value) - b.error;
  if (!(least > 0))
    return {q, unbounded};
  return operation(q, (a.error + std::fabs(q) * b.error) / least);
}

Bounded root(const Bounded &a) {
  const double y = std::sqrt(a.value), least = a.value - a.error;
  if (!(least >= 0))
    return {y, unbounded};
  return operation(y, std::max(y - std::sqrt(least), std::sqrt(a.value + a.error) - y));
}

/// Monotone functions of one argument: the ends of the argument's interval bound the result's.
Bounded monotone(Fn f, const Bounded &a) {
  const auto value = row(f).value;
  const double low = a.value - a.error, high = a.value + a.error, y = value(&a.value);
  const double spread = std::max(std::fabs(value(&low) - y), std::fabs(value(&high) - y));
  return operation(y, std::isnan(spread) ? unbounded : spread, tableUlps(f));
}

/// sin, cos, silu and gelu: slope nowhere more than 1.2.
Bounded gentle(Fn f, const Bounded &a) {
  const double y = row(f).value(&a.value);
  return operation(y, 1.2 * a.error, tableUlps(f));
}

/// exp(b * log(a)).
Bounded power(const Bounded *args) {
  const double point[2] = {args[0].value, args[1].value};
  const double y = row(Fn::Pow).value(point), least = args[0].value - args[0].error;
  if (!(least > 0))
    return {y, unbounded};
  const double exponent = std::fabs(args[1].value * std::log(args[0].value));
  const double relative = std::fabs(args[1].value) * args[0].error / least +
                          args[1].error * std::fabs(std::log(args[0].value)) + tableUlps(Fn::Pow) * unitRoundoff * (1 + exponent);
  return operation(y, std::fabs(y) * std::expm1(relative), tableUlps(Fn::Pow));
}

Bounded selected(const Bounded *args) {
  const Bounded &chosen = args[0].value != 0 ? args[1] : args[2];
  if (exact(args[0]))
    return chosen;
  return {chosen.value, std::max(args[1].error, args[2].error) + std::fabs(args[1].value - args[2].value)};
}

/// Booleans and integers: certain when all arguments are.
Bounded discrete(Fn f, const Bounded *args, double errorIfNot) {
  const FnRow &r = row(f);
  if (!r.value)
    internalError(fmt::format("no error bound exists for {}", r.name));
  double point[3];
  bool certain = true;
  for (int i = 0; i < r.arity; ++i) {
    point[i] = args[i].value;
    certain &= exact(args[i]);
  }
  return {r.value(point), certain ? 0 : errorIfNot};
}

} // namespace

Bounded roundedInput(double v) {
  const double error = std::fabs(static_cast<double>(static_cast<float>(v)) - v);
  return {v, std::isnan(error) ? 0 : error};
}

Bounded boundedProduct(Bounded a, Bounded b) {
  return operation(a.value * b.value, std::fabs(a.value) * b.error + std::fabs(b.value) * a.error + a.error * b.error);
}

Bounded boundedCall(Fn f, const Bounded args[3]) {
  const Bounded &a = args[0], &b = args[1];
  switch (f) {
  case Fn::Add: return operation(a.value + b.value, a.error + b.error);
  case Fn::Sub: return operation(a.value - b.value, a.error + b.error);
  case Fn::Mul: return boundedProduct(a, b);
  case Fn::Div: return quotient(a, b);
  case Fn::Neg: return {-a.value, a.error};
  case Fn::Abs: return {std::fabs(a.value), a.error};
  case Fn::Relu: return {a.value < 0 ? 0 : a.value, a.value + a.error < 0 ? 0 : a.error};
  case Fn::Sqrt: return root(a);
  case Fn::Fma: {
    const Bounded p = boundedProduct(a, b);
    return operation(p.value + args[2].value, p.error + args[2].error);
  }
  case Fn::Minimum:
  case Fn::Maximum: {
    const double point[2] = {a.value, b.value};
    return {row(f).value(point), std::max(a.error, b.error)};
  }
  case Fn::Lt:
  case Fn::Le:
  case Fn::Eq:
  case Fn::Ne: {
    const double point[2] = {a.value, b.value};
    return {row(f).value(point), mayChange(f, a, b) ? 1. : 0.};
  }
  case Fn::Select: return selected(args);
  case Fn::Exp:
  case Fn::Expm1:
  case Fn::Log:
  case Fn::Log1p:
  case Fn::Log1mexp:
  case Fn::Tanh:
  case Fn::Sigmoid:
  case Fn::Softplus:
  case Fn::Floor:
  case Fn::Erf:
  case Fn::Erfc: return monotone(f, a);
  case Fn::Given: return a;
  case Fn::Sin:
  case Fn::Cos:
  case Fn::Silu:
  case Fn::Gelu: return gentle(f, a);
  case Fn::Pow: return power(args);
  case Fn::ToReal: return exact(a) && std::fabs(a.value) <= 0x1p24 ? a : operation(a.value, a.error);
  case Fn::ToInt: {
    const double whole = std::trunc(a.value);
    const bool same = std::trunc(a.value - a.error) == whole && std::trunc(a.value + a.error) == whole;
    return {whole, same ? 0 : a.error + 1};
  }
  case Fn::And:
  case Fn::Or:
  case Fn::Not: return discrete(f, args, 1);
  case Fn::IAdd:
  case Fn::ISub:
  case Fn::IMul:
  case Fn::IAnd:
  case Fn::IOr:
  case Fn::IXor:
  case Fn::Shl:
  case Fn::Shr:
  case Fn::BitsToInt:
  case Fn::BitsToReal: return discrete(f, args, unbounded);
  case Fn::Uniform: return discrete(f, args, 1);
  }
  internalError("unknown function");
}

} // namespace netc::graph
