// The rules of `simplify` and `stabilize`: one identity a line, in the notation of bodies. test/passes/rule_test.cpp proves
// each of them numerically and checks that each makes the expression smaller.
#pragma once

#include "compiler/graph/graph.h"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

namespace netc::passes {

/// When both sides of a rule are equal (a zero's sign aside, as everywhere in netc).
enum class Holds : std::uint8_t {
  Always,   // for all values, infinities and NaN included
  IfFinite, // where the left side and its parts are finite; elsewhere the right side is the better answer
  IfExact,  // likewise, and but for what the left side loses where its sums cancel
  IfStored, // x is a parameter or state: these are finite, because a step that is not finite commits nothing
};

/// Where `simplify` and `stabilize` look for the left side.
enum class Scope : std::uint8_t {
  Body,    // simplify, within one body
  Both,    // also stabilize, through the names of values: log(s) where s is 1 + exp(x) elsewhere
  Names,   // stabilize only
};

/// In the texts, x, y, z stand for real subexpressions, k for a positive number, c and d for conditions; the same letter is the same
/// subexpression. Sums, products, equality and logic match in either order of their arguments.
struct Rule {
  std::string_view from, to;
  Holds holds;
  Scope scope = Scope::Body;
};
std::span<const Rule> rules();

/// A rule parsed: letters are Scalar nodes whose id is `letterId(letter)`.
struct ParsedRule {
  const Rule *text;
  graph::Body from, to;
};
std::span<const ParsedRule> parsedRules();
/// All but those of one scope, in the table's order, by the function at the root of their left sides.
using RulesByRoot = std::array<std::vector<const ParsedRule *>, fnCount>;
RulesByRoot rulesExcept(Scope);
inline constexpr int firstLetterId = 1'000'000;
inline int letterId(char letter) {
  return firstLetterId + letter;
}
inline bool isLetter(const graph::Node &n) {
  return n.kind == graph::Node::Kind::Scalar && n.id >= firstLetterId;
}
inline constexpr char numberLetter = 'k';

/// The arguments may change places.
bool isCommutative(Fn);

/// What every rule strictly shrinks: a linear function of the measures of the letters (each at least 1),
/// counting the nodes of the unfolded tree with weights that let selections rise out of products and signs
/// out of both. What is made of numbers alone is a number.
struct Measure {
  std::int64_t constant = 0;
  std::map<int, std::int64_t> letters; // id -> factor
};
Measure measure(const graph::Body &, int node);

} // namespace netc::passes
