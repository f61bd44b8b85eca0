#include "compiler/graph/evaluate_rows.h"

#include "compiler/graph/any_target.h"
#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace netc::graph {

namespace {

double rounded(double v) { return static_cast<float>(v); }

template <typename F> [[gnu::always_inline]] inline void map1(double *to, const double *a, int length, F f) {
  for (int i = 0; i < length; ++i)
    to[i] = f(a[i]);
}

template <typename F> [[gnu::always_inline]] inline void map2(double *to, const double *const args[3], int length, F f) {
  const double *a = args[0], *b = args[1];
  for (int i = 0; i < length; ++i)
    to[i] = f(a[i], b[i]);
}

bool isReal(Fn f) {
  return row(f).signature == Signature::Real || f == Fn::ToReal;
}

void applyTable(Fn f, double *to, const double *const args[3], int length) {
  const FnRow &r = row(f);
  if (!r.value)
    internalError(fmt::format("the evaluator has no value for {} in float64", r.name));
  for (int i = 0; i < length; ++i) {
    double point[3];
    for (int a = 0; a < r.arity; ++a)
      point[a] = args[a][i];
    to[i] = r.value(point);
  }
}

/// The functions that exist in float32 only; false: not one of them.
bool applySingle(Fn f, double *to, const double *const args[3], int length) {
  if (f == Fn::BitsToInt)
    map1(to, args[0], length, [](double a) { return std::bit_cast<std::int32_t>(static_cast<float>(a)); });
  else if (f == Fn::BitsToReal)
    map1(to, args[0], length, [](double a) { return std::bit_cast<float>(static_cast<std::int32_t>(a)); });
  else if (f == Fn::Fma)
    for (int i = 0; i < length; ++i)
      to[i] = std::fma(static_cast<float>(args[0][i]), static_cast<float>(args[1][i]), static_cast<float>(args[2][i]));
  else
    return false;
  return true;
}

/// Whether a point replaces the extremum so far; NaN always does.
bool wins(Combine op, double best, double x) {
  const bool max = op == Combine::Max || op == Combine::ArgMax;
  return (max ? best < x : x < best) || x != x;
}

NETC_ANY_TARGET void addRow(double *__restrict to, const double *__restrict values, int length) {
  for (int i = 0; i < length; ++i)
    to[i] += values[i];
}

void sumRow(const CombineRow &r, bool single, double *value) {
  double *to = value + r.out;
  if (r.outStride == 0) {
    double sum = *to; // one element: in order, in a register
    for (int i = 0; i < r.length; ++i)
      sum = single ? rounded(sum + r.values[i]) : sum + r.values[i];
    *to = sum;
    return;
  }
  if (r.outStride == 1 && !single) {
    addRow(to, r.values, r.length);
    return;
  }
  for (int i = 0; i < r.length; ++i) {
    double &t = to[i * r.outStride];
    t = single ? rounded(t + r.values[i]) : t + r.values[i];
  }
}

void extremumRow(Combine op, const CombineRow &r, Accumulation &to) {
  const bool arg = givesOrdinals(op);
  for (int i = 0; i < r.length; ++i) {
    const std::int64_t o = r.out + i * r.outStride;
    double &best = arg ? to.best[o] : to.value[o];
    if (to.hit[o] && !wins(op, best, r.values[i]))
      continue;
    best = r.values[i];
    if (arg)
      to.value[o] = static_cast<double>(r.ordinal + i * r.ordinalStride);
    if (!to.winner.empty())
      to.winner[o] = r.point + i * r.pointStride;
    to.hit[o] = 1;
  }
}

} // namespace

void record(Decisions &d, std::uint64_t decision) { d.hash = (d.hash ^ decision) * 0x9E3779B97F4A7C15u + 1; }

void fillIndex(Row &to, std::int64_t first, std::int64_t step, int length) {
  for (int i = 0; i < length; ++i)
    to[i] = static_cast<double>(first + i * step);
}

NETC_ANY_TARGET void applyRow(Fn f, double *to, const double *const args[3], int length, bool single) {
  switch (f) { // the frequent ones, so that the compiler vectorises them
  case Fn::Add: map2(to, args, length, [](double a, double b) { return a + b; }); break;
  case Fn::Sub: map2(to, args, length, [](double a, double b) { return a - b; }); break;
  case Fn::Mul: map2(to, args, length, [](double a, double b) { return a * b; }); break;
  case Fn::Div: map2(to, args, length, [](double a, double b) { return a / b; }); break;
  case Fn::Lt: map2(to, args, length, [](double a, double b) { return a < b ? 1. : 0.; }); break;
  case Fn::Le: map2(to, args, length, [](double a, double b) { return a <= b ? 1. : 0.; }); break;
  case Fn::Eq: map2(to, args, length, [](double a, double b) { return a == b ? 1. : 0.; }); break;
  case Fn::Neg: map1(to, args[0], length, [](double a) { return -a; }); return;
  case Fn::Relu: map1(to, args[0], length, [](double a) { return a < 0 ? 0 : a; }); return;
  case Fn::Select:
    for (int i = 0; i < length; ++i)
      to[i] = args[0][i] != 0 ? args[1][i] : args[2][i];
    return;
  default:
    if (!single || !applySingle(f, to, args, length))
      applyTable(f, to, args, length);
  }
  // For + - * / sqrt, rounding the double result gives the float operation's result exactly.
  if (single && isReal(f))
    map1(to, to, length, rounded);
}

void recordRow(Decisions &d, Fn f, const double *result, const double *const args[3], int length) {
  auto each = [&](auto decide) { // of four bits at most
    for (int i = 0; i < length; i += 16) {
      std::uint64_t word = 0;
      for (int k = i; k < std::min(i + 16, length); ++k)
        word = word << 4 | static_cast<std::uint64_t>(decide(k));
      record(d, word);
    }
  };
  switch (f) {
  case Fn::Floor:
  case Fn::ToInt:
    for (int i = 0; i < length; ++i)
      record(d, std::bit_cast<std::uint64_t>(result[i]));
    return;
  case Fn::Lt:
  case Fn::Le:
  case Fn::Eq:
  case Fn::Ne: each([&](int i) { return result[i] != 0; }); return;
  case Fn::Relu:
  case Fn::Abs: each([&](int i) { return (args[0][i] < 0) + 2 * (args[0][i] > 0); }); return;
  case Fn::Minimum:
  case Fn::Maximum: each([&](int i) { return (args[0][i] < args[1][i]) + 2 * (args[0][i] > args[1][i]); }); return;
  default: return;
  }
}

void combineRow(Combine op, const CombineRow &r, bool single, Accumulation &to) {
  switch (op) {
  case Combine::Sum: sumRow(r, single, to.value.data()); break;
  case Combine::Prod:
    for (int i = 0; i < r.length; ++i) {
      double &t = to.value[r.out + i * r.outStride];
      t = single ? rounded(t * r.values[i]) : t * r.values[i];
    }
    break;
  case Combine::Assign:
    for (int i = 0; i < r.length; ++i)
      to.value[r.out + i * r.outStride] = r.values[i];
    break;
  case Combine::Max:
  case Combine::Min:
  case Combine::ArgMax:
  case Combine::ArgMin: extremumRow(op, r, to); return;
  }
  if (!to.hit.empty())
    for (int i = 0; i < r.length; ++i)
      to.hit[r.out + i * r.outStride] = 1;
}

} // namespace netc::graph
