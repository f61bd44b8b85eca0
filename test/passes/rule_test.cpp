// Proves each rule of `simplify` and `stabilize`: both sides agree on random and edge values, the measure strictly shrinks,
// and what the passes make of the left side they leave alone afterwards.
#include "compiler/graph/text.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rules.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <random>

using namespace netc;
using passes::Holds;
using passes::ParsedRule;

namespace {

using Assignment = std::map<int, double>; // letter id -> value

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double anyNumber = 2.5;
constexpr double edges[] = {0,   -0.0, 1,      -1,    2,      0.5, -0.5, 30, -30,
                            800, -800, 1e-300, 1e300, -1e300, inf, -inf, nan};

std::vector<double> evaluate(const graph::Body &b, const Assignment &at) {
  std::vector<double> v;
  for (const graph::Node &n : b.nodes) {
    double args[3] = {};
    for (std::size_t i = 0; i < n.args.size(); ++i)
      args[i] = v[n.args[i]];
    if (passes::isLetter(n))
      v.push_back(at.at(n.id));
    else
      v.push_back(n.kind == graph::Node::Kind::Const ? n.value : row(n.fn).value(args));
  }
  return v;
}

std::map<int, DType> letters(const graph::Body &b) {
  std::map<int, DType> found;
  for (const graph::Node &n : b.nodes)
    if (passes::isLetter(n)) found[n.id] = n.dtype;
  return found;
}

bool allFinite(const std::vector<double> &values) {
  for (double v : values)
    if (!std::isfinite(v)) return false;
  return true;
}

/// A sum, or the one that log1p takes the logarithm of, is far smaller than what was added.
bool cancels(const graph::Body &b, const std::vector<double> &values) {
  constexpr double digits = 1e-4;
  for (std::size_t k = 0; k < b.nodes.size(); ++k) {
    const graph::Node &n = b.nodes[k];
    if (n.kind != graph::Node::Kind::Call) continue;
    const double a = values[n.args[0]], last = values[n.args.back()];
    if (n.fn == Fn::Log1p && std::fabs(1 + a) < digits) return true;
    if ((n.fn == Fn::Add || n.fn == Fn::Sub) &&
        std::fabs(values[k]) < digits * std::max(std::fabs(a), std::fabs(last)))
      return true;
    const double smaller = std::min(std::fabs(a), std::fabs(last)); // or gone in what it was added to
    if ((n.fn == Fn::Add || n.fn == Fn::Sub) && smaller != 0 && smaller < digits * std::fabs(values[k])) return true;
  }
  return false;
}

bool mustHold(const ParsedRule &r, const Assignment &at, const std::vector<double> &left) {
  switch (r.text->holds) {
  case Holds::Always:
    return true;
  case Holds::IfFinite:
    return allFinite(left);
  case Holds::IfExact:
    return allFinite(left) && !cancels(r.from, left);
  case Holds::IfStored:
    return std::isfinite(at.at(passes::letterId('x')));
  }
  return true;
}

bool equal(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b)) + 1e-12;
}

class RuleProof {
 public:
  explicit RuleProof(const ParsedRule &rule) : r(rule), found(letters(r.from)) {}

  int run() {
    proveSmaller();
    for (auto &[id, type] : letters(r.to))
      if (!found.count(id)) fail("the right side has a letter that the left side lacks");
    if (failures) return failures;
    enumerate(found.begin(), {});
    std::normal_distribution<double> normal(0, 3);
    for (int k = 0; k < 20000; ++k) {
      Assignment at;
      for (auto &[id, type] : found)
        at[id] = type == DType::Bool ? static_cast<double>(random() & 1) : isNumber(id) ? std::fabs(normal(random)) : normal(random);
      compare(at);
    }
    if (compared < 5000 && !found.empty()) fail(fmt::format("only {} values compared", compared));
    proveSettled();
    if (!sawNonZero && r.to.nodes[r.to.root].kind != graph::Node::Kind::Const) fail("all values were zero");
    return failures;
  }

 private:
  static bool isNumber(int letter) { return letter == passes::letterId(passes::numberLetter); }

  void fail(const std::string &what) {
    if (failures++ < 3) fmt::print("{} -> {}: {}\n", r.text->from, r.text->to, what);
  }

  void proveSmaller() {
    const passes::Measure from = passes::measure(r.from, r.from.root), to = passes::measure(r.to, r.to.root);
    std::int64_t least = from.constant - to.constant; // with every letter at its least measure, 1
    for (auto &[id, factor] : from.letters)
      least += factor;
    for (auto &[id, factor] : to.letters) {
      least -= factor;
      const auto had = from.letters.find(id);
      if (had == from.letters.end() || had->second < factor) fail("the measure grows with a letter");
    }
    if (least <= 0) fail(fmt::format("the measure does not shrink (by {})", least));
  }

  /// A fixed point: applying the pass again changes nothing.
  void proveSettled() {
    for (auto *pass : {passes::simplify, passes::stabilize}) {
      graph::Module m = leftSide();
      pass(m.entries[0]);
      const std::string once = graph::print(m);
      pass(m.entries[0]);
      if (graph::print(m) != once) fail("the pass changes its own result");
    }
  }

  /// The rule's left side as a formula over inputs named as the letters.
  graph::Module leftSide() const {
    graph::Graph g;
    g.name = "e";
    std::map<int, int> tensors;
    for (auto &[id, type] : found) {
      if (isNumber(id)) continue;
      graph::Tensor t;
      t.name = static_cast<char>(id - passes::firstLetterId);
      t.kind = graph::TensorKind::Input;
      t.dtype = type;
      tensors[id] = static_cast<int>(g.tensors.size());
      g.tensors.push_back(t);
    }
    graph::Tensor result;
    result.name = "result";
    graph::Formula f;
    f.target = g.addTensor(result);
    f.clauses.emplace_back();
    graph::Body &b = f.clauses[0].body;
    b.root = b.copy(
        r.from, r.from.root, {},
        [&](int n) {
          const graph::Node &letter = r.from.nodes[n];
          if (!passes::isLetter(letter)) return -1;
          return isNumber(letter.id) ? b.constant(anyNumber) : b.read(tensors.at(letter.id), letter.dtype, {});
        });
    g.formulas.push_back(std::move(f));
    g.results.push_back({graph::Result::Kind::Output, "result", g.find("result")});
    return {"m", 1, {g}};
  }

  /// All combinations of edge values.
  void enumerate(std::map<int, DType>::const_iterator letter, Assignment at) {
    if (letter == found.end()) return compare(at);
    auto next = std::next(letter);
    if (letter->second == DType::Bool)
      for (double v : {0.0, 1.0})
        at[letter->first] = v, enumerate(next, at);
    else
      for (double v : edges)
        if (!isNumber(letter->first) || (v > 0 && v < inf)) at[letter->first] = v, enumerate(next, at);
  }

  void compare(const Assignment &at) {
    const std::vector<double> left = evaluate(r.from, at);
    if (!mustHold(r, at, left)) return;
    const double a = left[r.from.root], b = evaluate(r.to, at)[r.to.root];
    ++compared;
    sawNonZero |= a != 0;
    if (equal(a, b)) return;
    std::string where;
    for (auto &[id, value] : at)
      where += fmt::format(" {} = {}", static_cast<char>(id - passes::firstLetterId), value);
    fail(fmt::format("{} is not {} at{}", a, b, where));
  }

  const ParsedRule &r;
  const std::map<int, DType> found;
  std::mt19937_64 random{0};
  int failures = 0, compared = 0;
  bool sawNonZero = false;
};

} // namespace

int main() {
  int failures = 0;
  for (const ParsedRule &r : passes::parsedRules())
    failures += RuleProof(r).run();
  fmt::print("{} rules, {} failures\n", passes::rules().size(), failures);
  return failures == 0 && !passes::rules().empty() ? 0 : 1;
}
