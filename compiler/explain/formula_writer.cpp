#include "compiler/explain/formula_writer.h"

#include "compiler/graph/expression_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace netc::explain {

namespace {

using Kind = Term::Kind;

// From the loosest; what binds looser than its place gets parentheses.
enum Level { disjunctionLevel = 1, conjunctionLevel, comparisonLevel, sumLevel, productLevel, unaryLevel, powerLevel, atomLevel };

std::string mangled(std::string name) {
  for (char &c : name)
    if (c == '.') c = '_';
  return name;
}

bool endsInReduction(const Term &t) {
  if (t.kind == Kind::Reduce) return true;
  if (t.kind == Kind::Product)
    return std::any_of(t.args.begin(), t.args.end(), [](const TermPtr &a) { return a->kind == Kind::Reduce; });
  const bool infix = t.kind == Kind::Call && (t.fn == Fn::Mul || t.fn == Fn::Neg);
  return infix && endsInReduction(*t.args.back());
}

/// 1/784 is better told as a divisor.
bool isInverse(double v) {
  const double inverse = 1 / v;
  return v != 0 && v != 0.5 && std::fabs(inverse) > 1 && inverse == std::round(inverse) && 1 / std::round(inverse) == v &&
         std::fabs(inverse) < 1e9;
}

} // namespace

FormulaWriter::FormulaWriter(const Derivation &derivation, const Notation &how) : d(derivation), notation(how) { nameTensors(); }

void FormulaWriter::nameTensors() {
  static constexpr std::string_view words[] = {"model", "const", "input", "target", "param", "state", "next", "output", "loss",
                                               "metric", "train", "require", "if", "else", "layer", "fn", "init", "optimizer"};
  taken = {"N", "step", "epoch", "steps", "true", "false", "pi", "inf", "training"};
  taken.insert(std::begin(words), std::end(words));
  names.resize(d.graph.tensors.size());
  auto add = [&](std::size_t t, std::string name, std::string of) {
    while (!taken.insert(name).second) name += "_";
    names[t] = {std::move(name), std::move(of)};
  };
  for (std::size_t t = 0; t < names.size(); ++t)
    if (!d.gradientOf.count(static_cast<int>(t)))
      add(t, d.graph.tensors[t].name == "loss" ? "L" : mangled(d.graph.tensors[t].name), "");
  for (auto &[t, of] : d.gradientOf) {
    const std::string &owner = names[static_cast<std::size_t>(of)].text;
    const std::string &full = d.graph.tensors[static_cast<std::size_t>(t)].name;
    const std::string part = full.substr(full.rfind(".grad") + 5); // of several uses
    const bool isPart = full.rfind(".grad") != std::string::npos && !part.empty();
    add(static_cast<std::size_t>(t), "d_" + owner + (isPart ? mangled(part) : ""), owner + (isPart ? mangled(part) : ""));
  }
}

std::string FormulaWriter::indexName(Scope &s, int index) const {
  auto found = s.names.find(index);
  if (found != s.names.end()) return found->second;
  auto isFree = [&](const std::string &name) {
    if (taken.count(name)) return false;
    return std::none_of(s.names.begin(), s.names.end(), [&](const auto &x) { return x.second == name; });
  };
  std::string name = mangled(d.indices[static_cast<std::size_t>(index)].name);
  for (const char *letter = "jkmpqrsuvabc"; !isFree(name) && *letter; ++letter)
    if (isFree(std::string(1, *letter))) name = std::string(1, *letter);
  while (!isFree(name)) name += "_";
  return s.names[index] = name;
}

std::string FormulaWriter::affine(Scope &s, const Affine &a) const {
  return a.str([&](int v) { return indexName(s, v); });
}

/// Without what rounding left: 1 - 0.7 is 0.3, not 0.30000000000000004.
std::string FormulaWriter::numberText(double v) const {
  const std::string exact = graph::numberText(v), rounded = graph::numberText(std::stod(fmt::format("{:.15g}", v)));
  return notation.number(rounded.size() + 2 < exact.size() ? rounded : exact);
}

int FormulaWriter::level(const Term &t) const {
  switch (t.kind) {
  case Kind::Number: return t.value < 0 || std::signbit(t.value) ? unaryLevel : atomLevel;
  case Kind::Index: return t.affine.terms().size() + (t.affine.constant() != 0) > 1 ? sumLevel
                           : t.affine.isVar() || t.affine.isConstant()              ? atomLevel
                                                                                    : productLevel;
  case Kind::Name:
  case Kind::Read:
  case Kind::Bracket: return atomLevel;
  case Kind::Sum: return sumLevel;
  case Kind::Product:
  case Kind::Reduce: return productLevel;
  case Kind::Call: break;
  }
  switch (t.fn) {
  case Fn::Add:
  case Fn::Sub: return sumLevel;
  case Fn::Mul: return productLevel;
  case Fn::Div: return notation.stacks() ? atomLevel : productLevel;
  case Fn::Neg:
  case Fn::Not: return unaryLevel;
  case Fn::Lt:
  case Fn::Le:
  case Fn::Eq:
  case Fn::Ne: return comparisonLevel;
  case Fn::And: return conjunctionLevel;
  case Fn::Or: return disjunctionLevel;
  default: return atomLevel;
  }
}

std::string FormulaWriter::term(Scope &s, const Term &t, int least) const {
  const std::string text = bare(s, t);
  return level(t) < least ? notation.parentheses(text) : text;
}

std::string FormulaWriter::bare(Scope &s, const Term &t) const {
  switch (t.kind) {
  case Kind::Number: return t.value < 0 ? notation.prefix("-", numberText(-t.value)) : numberText(t.value);
  case Kind::Index: return notation.affine(affine(s, t.affine));
  case Kind::Name: return notation.word(t.name);
  case Kind::Read: {
    std::vector<std::string> subscripts;
    for (const Affine &a : t.map) subscripts.push_back(notation.affine(affine(s, a)));
    return notation.element(name(t.tensor), subscripts);
  }
  case Kind::Bracket: return notation.brackets(term(s, *t.args[0], 0));
  case Kind::Sum: return sum(s, t);
  case Kind::Product: return product(s, t);
  case Kind::Reduce: return reduction(s, t);
  case Kind::Call: return call(s, t);
  }
  return {};
}

std::string FormulaWriter::call(Scope &s, const Term &t) const {
  auto infix = [&](const std::string &op, int left, int right) {
    std::string a = term(s, *t.args[0], left);
    if (left >= productLevel && endsInReduction(*t.args[0]) && level(*t.args[0]) >= left) a = notation.parentheses(a);
    return notation.infix(a, op, term(s, *t.args[1], right));
  };
  if ((t.fn == Fn::Add || t.fn == Fn::Mul) && key(*t.args[0]) == key(*t.args[1])) {
    if (t.fn == Fn::Mul) return notation.power(term(s, *t.args[0], atomLevel), 2);
    return notation.infix(numberText(2), "*", term(s, *t.args[0], productLevel));
  }
  switch (t.fn) {
  case Fn::Add: return infix("+", sumLevel, productLevel);
  case Fn::Sub: return infix("-", sumLevel, productLevel);
  case Fn::Mul: return infix("*", productLevel, t.args[1]->kind == Kind::Reduce ? productLevel : unaryLevel);
  case Fn::Div: {
    if (notation.stacks()) return notation.quotient(term(s, *t.args[0], 0), term(s, *t.args[1], 0));
    std::string a = term(s, *t.args[0], productLevel);
    if (endsInReduction(*t.args[0])) a = notation.parentheses(a);
    return notation.quotient(a, term(s, *t.args[1], unaryLevel));
  }
  case Fn::Neg: return notation.prefix("-", term(s, *t.args[0], unaryLevel));
  case Fn::Not: return notation.prefix("not", term(s, *t.args[0], atomLevel));
  case Fn::Lt: return infix("<", sumLevel, sumLevel);
  case Fn::Le: return infix("<=", sumLevel, sumLevel);
  case Fn::Eq: return infix("==", sumLevel, sumLevel);
  case Fn::Ne: return infix("!=", sumLevel, sumLevel);
  case Fn::And: return infix("and", comparisonLevel, comparisonLevel);
  case Fn::Or: return infix("or", conjunctionLevel, conjunctionLevel);
  case Fn::Select: return notation.where(term(s, *t.args[0], 0), term(s, *t.args[1], 0), term(s, *t.args[2], 0));
  case Fn::Uniform: {
    const std::string numbers = notation.call("uniform", {});
    return notation.stacks() || t.name.empty() ? numbers : fmt::format("{} as \"{}\"", numbers, t.name);
  }
  default: break;
  }
  std::vector<std::string> args;
  for (const TermPtr &a : t.args) args.push_back(term(s, *a, 0));
  return notation.call(std::string(row(t.fn).name), args);
}

std::string FormulaWriter::sum(Scope &s, const Term &t) const {
  std::string text;
  for (const TermPtr &a : t.args) {
    const bool negative = (a->kind == Kind::Product || a->kind == Kind::Number) && a->value < 0;
    Term positive = *a;
    if (negative && !text.empty()) positive.value = -positive.value;
    if (positive.kind == Kind::Product && positive.value == 1 && positive.args.size() == 1 && positive.powers[0] == 1)
      positive = Term(*a->args[0]);
    const std::string part = term(s, positive, productLevel);
    text = text.empty() ? part : notation.infix(text, negative ? "-" : "+", part);
  }
  return text;
}

/// The sign, then what is multiplied, then the divisors, and reductions last: all behind them is their body.
std::string FormulaWriter::product(Scope &s, const Term &t) const {
  std::vector<const Term *> reductions;
  std::vector<std::size_t> over, under;
  for (std::size_t i = 0; i < t.args.size(); ++i) {
    if (t.args[i]->kind == Kind::Reduce && t.powers[i] == 1) reductions.push_back(t.args[i].get());
    else (t.powers[i] > 0 ? over : under).push_back(i);
  }
  double size = std::fabs(t.value);
  const Term *whole = nullptr; // 1/64 * mean(n) sum(s, t) ... is mean(n, s, t) ... in the language
  for (const Term *r : reductions)
    if (!notation.stacks() && !whole && r->mean && std::fabs(size * otherPoints(*r) - 1) < 1e-12) whole = r;
  if (whole) size = 1;
  std::vector<std::string> above, below, last;
  if (isInverse(size)) below.push_back(numberText(std::round(1 / size)));
  else if (size != 1) above.push_back(numberText(size));
  const bool stacked = notation.stacks() && (!below.empty() || !under.empty());
  auto factor = [&](std::size_t i, int least) {
    const int power = std::abs(t.powers[i]);
    return power > 1 ? notation.power(term(s, *t.args[i], atomLevel), power) : term(s, *t.args[i], least);
  };
  for (std::size_t i : over) above.push_back(factor(i, stacked && over.size() == 1 && above.empty() ? 0 : unaryLevel));
  for (std::size_t i : under) below.push_back(factor(i, stacked && under.size() == 1 && below.empty() ? 0 : unaryLevel));
  for (const Term *r : reductions) {
    const std::string text = reduction(s, *r, r == whole);
    last.push_back(r == reductions.back() ? text : notation.parentheses(text));
  }
  auto joined = [&](const std::vector<std::string> &list) {
    std::string text;
    for (const std::string &p : list) text = text.empty() ? p : notation.infix(text, "*", p);
    return text;
  };
  std::string text = joined(above);
  if (!below.empty() && text.empty()) text = numberText(1);
  if (stacked) text = notation.quotient(text, joined(below));
  else
    for (const std::string &p : below) text = notation.quotient(text, p);
  if (!last.empty()) text = text.empty() ? joined(last) : notation.infix(text, "*", joined(last));
  return t.value < 0 ? notation.prefix("-", text) : text;
}

std::string FormulaWriter::guardText(Scope &s, const std::vector<Affine> &guards) const {
  std::string text;
  for (const Affine &a : guards) {
    Affine left, right; // what is added, what is subtracted
    for (auto &[v, k] : a.terms()) (k > 0 ? left : right) += Affine::var(v, std::llabs(k));
    (a.constant() > 0 ? left : right) += Affine(std::llabs(a.constant()));
    const std::string one = notation.infix(notation.affine(affine(s, right)), "<=", notation.affine(affine(s, left)));
    text = text.empty() ? one : notation.infix(text, "and", one);
  }
  return text;
}

/// The language takes the index's extent from the body.
bool FormulaWriter::standsAlone(const Term &body, int index) const {
  bool alone = false, clash = false;
  visit(body, [&](const Term &t) {
    if (t.kind != Kind::Read) return;
    for (std::size_t k = 0; k < t.map.size(); ++k) {
      int v = -1;
      if (!t.map[k].isVar(&v) || v != index) continue;
      const bool same = d.graph.tensors[static_cast<std::size_t>(t.tensor)].shape[k] == d.indices[static_cast<std::size_t>(index)].extent;
      (same ? alone : clash) = true;
    }
  });
  return alone && !clash;
}

/// The points of a mean for each sample; 0 if there are no other indices than the samples.
double FormulaWriter::otherPoints(const Term &t) const {
  double points = t.guards.empty() && t.reduced.size() > 1 ? 1 : 0;
  for (int v : t.reduced) {
    const graph::Extent &e = d.indices[static_cast<std::size_t>(v)].extent;
    if (!e.batch) points *= static_cast<double>(e.size);
  }
  return points;
}

std::string FormulaWriter::reduction(Scope &s, const Term &t, bool whole) const {
  std::vector<std::string> samples, others;
  for (int v : t.reduced) {
    const graph::Extent &e = d.indices[static_cast<std::size_t>(v)].extent;
    std::string binder = notation.word(indexName(s, v));
    if (!standsAlone(*t.args[0], v))
      binder = notation.infix(binder, "<", e.batch ? notation.word("N") : numberText(static_cast<double>(e.size)));
    (whole || (t.mean && e.batch) ? samples : others).push_back(binder);
  }
  const std::string guard = guardText(s, t.guards);
  const Term &body = *t.args[0];
  std::string text = term(s, body, productLevel);
  if (!t.mean) {
    text = notation.reduction(std::string(graph::name(t.op)), others, guard, text);
  } else {
    if (!others.empty()) text = notation.reduction("sum", others, guard, text);
    text = notation.reduction("mean", samples, others.empty() ? guard : "", text);
  }
  for (int v : t.reduced) s.names.erase(v);
  return text;
}

std::string FormulaWriter::statement(const Statement &st) const {
  Scope s{{}, st.value.get()};
  std::vector<std::string> subscripts;
  bool inferred = true;
  for (const Affine &a : st.out) {
    int v = -1;
    inferred &= a.isVar(&v) && standsAlone(*st.value, v);
    subscripts.push_back(notation.affine(affine(s, a)));
  }
  std::string left = notation.element(name(st.tensor), subscripts);
  const bool declares = st.shape == Statement::Shape::Declared || (st.shape == Statement::Shape::IfNeeded && (!inferred || st.accumulates));
  if (declares && !st.out.empty() && !notation.stacks()) {
    std::string shape;
    for (const graph::Extent &e : d.graph.tensors[static_cast<std::size_t>(st.tensor)].shape)
      shape += (shape.empty() ? "" : ", ") + (e.batch ? std::string("N") : std::to_string(e.size));
    left += ": [" + shape + "]";
  }
  std::string text = notation.infix(left, st.accumulates ? "+=" : "=", term(s, *st.value, 0));
  if (st.otherwise && !notation.stacks()) text += " else " + graph::numberText(*st.otherwise);
  return text;
}

} // namespace netc::explain
