// The one table of scalar functions. Every function of the language, the graph IR and the loop IR is a row
// here and nowhere else: its name, arity, types, derivative, value and expansion into primitives.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace netc {

/// Element types. F32 is the only real type in a program; the evaluator may compute F32 in double.
enum class DType : std::uint8_t { F32, I32, U8, Bool };
std::string_view name(DType);
std::optional<DType> parseDType(std::string_view);
std::int64_t byteSize(DType); // Bool: 1

enum class Fn : std::uint8_t {
  // primitives on reals, each correctly rounded; the only real arithmetic of the loop IR
  Add, Sub, Mul, Div, Neg, Sqrt, Fma, // Fma(a, b, c) = a*b + c, rounded once; Neg flips the sign bit
  // comparisons (reals or integers -> bool; NaN: all false but Ne), selection, logic
  Lt, Le, Eq, Ne, Select, And, Or, Not,
  // integers and bits (two's complement, wrapping)
  IAdd, ISub, IMul, IAnd, IOr, IXor, Shl, Shr, // Shr is arithmetic; shift counts are constants 0..31
  ToReal, ToInt,                               // i32 -> f32 nearest even; f32 -> i32 truncating, in range only
  BitsToInt, BitsToReal,
  // expanded into primitives before the loop IR (their `expansion` is text)
  Abs, Minimum, Maximum, Floor, Relu, Exp, Expm1, Log, Log1p, Log1mexp, Pow, Tanh, Sigmoid, Softplus, Silu, Sin, Cos,
  Erf, Erfc, Gelu,
  Uniform, // Uniform(key low, key high, element): in [0, 1), unitReal(threefry(key, element)) of netc/random.h
  // a, whose derivative is given: c for b, none for what a is made of. Once differentiated, or never to be, it is a
  Given,
};
inline constexpr int fnCount = static_cast<int>(Fn::Given) + 1;

/// What a function takes and gives.
enum class Signature : std::uint8_t {
  Real,    // reals -> real
  Compare, // two reals or two integers -> bool
  Choose,  // Select: bool, T, T -> T
  Logic,   // bools -> bool
  Integer, // integers -> integer
  RealToInt, IntToReal, // reals -> integer, integers -> real
};

struct FnRow {
  Fn fn;
  std::string_view name;   // as spelled in .net, .graph and .loops: "exp"; operators have a name too: "add"
  std::string_view symbol; // infix spelling ("+"), empty when none
  int arity;
  Signature signature;
  /// d/d(argument i), as text over a, b, c (the arguments) and y (the result); empty: no derivative exists
  /// (a located error if one is needed). Comparisons have derivative "0".
  std::string_view derivative[3];
  /// Value on doubles: integers and booleans are passed as their exact value; null for bit functions.
  double (*value)(const double *args);
  /// Expansion into primitives, text over a, b and local lets; empty: a primitive.
  std::string_view expansion;
  /// What the expansion promises for all float32 arguments (docs/functions.md says how it is measured): its largest
  /// error in units of the last place of the result.
  double ulps = 0.5;
};

const FnRow &row(Fn);
std::span<const FnRow> allFunctions();
std::optional<Fn> findFunction(std::string_view name); // by name, not by symbol
inline bool isPrimitive(Fn f) { return row(f).expansion.empty(); }

} // namespace netc
