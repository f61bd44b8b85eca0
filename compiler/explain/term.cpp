#include "compiler/explain/term.h"

#include "compiler/graph/expression_text.h"
#include "compiler/support/diagnostics.h"

#include <algorithm>

namespace netc::explain {

namespace {

TermPtr make(Term t) { return std::make_shared<const Term>(std::move(t)); }

Affine renamed(const Affine &a, const std::map<int, Affine> &by) {
  return a.substitute([&](int v) {
    auto found = by.find(v);
    return found == by.end() ? Affine::var(v) : found->second;
  });
}

std::string keyIn(const Term &t, std::map<int, std::string> &bound) {
  auto indexName = [&](int v) {
    auto found = bound.find(v);
    return found == bound.end() ? "i" + std::to_string(v) : found->second;
  };
  std::string text = std::to_string(static_cast<int>(t.kind)) + "(" + t.name;
  if (t.kind == Term::Kind::Number || t.kind == Term::Kind::Product) text += graph::numberText(t.value);
  if (t.kind == Term::Kind::Index) text += t.affine.str(indexName);
  if (t.kind == Term::Kind::Read) text += std::to_string(t.tensor);
  if (t.kind == Term::Kind::Call) text += row(t.fn).name;
  if (t.kind == Term::Kind::Reduce) text += std::string(graph::name(t.op)) + (t.mean ? "mean" : "");
  for (int v : t.reduced) bound[v] = "b" + std::to_string(bound.size());
  for (const Affine &a : t.map) text += "," + a.str(indexName);
  for (const Affine &a : t.guards) text += "?" + a.str(indexName);
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < t.args.size(); ++i)
    parts.push_back(keyIn(*t.args[i], bound) + (t.powers.empty() ? "" : "^" + std::to_string(t.powers[i])));
  if (t.kind == Term::Kind::Sum || t.kind == Term::Kind::Product) std::sort(parts.begin(), parts.end());
  for (const std::string &p : parts) text += ";" + p;
  for (int v : t.reduced) bound.erase(v);
  return text + ")";
}

/// A run-time scalar as a term.
TermPtr fromProgram(const RuntimeScalar &s) {
  std::vector<TermPtr> stack;
  auto binary = [&](Fn f) {
    TermPtr b = stack.back();
    stack.pop_back();
    stack.back() = call(f, {stack.back(), b});
  };
  auto unary = [&](Fn f) { stack.back() = call(f, {stack.back()}); };
  for (const ScalarOp &op : s.program) {
    switch (op.code) {
    case ScalarOp::Const: stack.push_back(number(op.value)); break;
    case ScalarOp::Count: stack.push_back(named("N")); break;
    case ScalarOp::Step: stack.push_back(named("step")); break;
    case ScalarOp::Epoch: stack.push_back(named("epoch")); break;
    case ScalarOp::Steps: stack.push_back(named("steps")); break;
    case ScalarOp::Add: binary(Fn::Add); break;
    case ScalarOp::Sub: binary(Fn::Sub); break;
    case ScalarOp::Mul: binary(Fn::Mul); break;
    case ScalarOp::Div: binary(Fn::Div); break;
    case ScalarOp::Pow: binary(Fn::Pow); break;
    case ScalarOp::Minimum: binary(Fn::Minimum); break;
    case ScalarOp::Maximum: binary(Fn::Maximum); break;
    case ScalarOp::Lt: binary(Fn::Lt); break;
    case ScalarOp::Neg: unary(Fn::Neg); break;
    case ScalarOp::Exp: unary(Fn::Exp); break;
    case ScalarOp::Log: unary(Fn::Log); break;
    case ScalarOp::Sqrt: unary(Fn::Sqrt); break;
    case ScalarOp::Cos: unary(Fn::Cos); break;
    case ScalarOp::Floor: unary(Fn::Floor); break;
    case ScalarOp::Select: {
      TermPtr b = stack.back();
      stack.pop_back();
      TermPtr a = stack.back();
      stack.pop_back();
      stack.back() = call(Fn::Select, {stack.back(), a, b});
      break;
    }
    case ScalarOp::KeyLow:
    case ScalarOp::KeyHigh: break; // of uniform(), which is written with a path
    }
  }
  return stack.back();
}

/// A call of uniform() is a formula of its own (subject.cpp); its numbers are those of a path if the formula's indices number
/// them as the language does.
TermPtr draw(const graph::Graph &g, const graph::Clause &c, const graph::Node &call) {
  Affine number;
  for (std::size_t p = 0; p < c.domain.size(); ++p)
    number = number * c.domain[p].extent.size + Affine::var(static_cast<int>(p));
  Term t;
  t.kind = Term::Kind::Call;
  t.fn = Fn::Uniform;
  if (c.body.nodes[static_cast<std::size_t>(call.args[2])].affine == number) {
    t.name = g.scalars[static_cast<std::size_t>(c.body.nodes[static_cast<std::size_t>(call.args[0])].id)].name;
    t.name.resize(t.name.rfind('.'));
  }
  return make(std::move(t));
}

} // namespace

TermPtr number(double v) {
  Term t;
  t.value = v;
  return make(std::move(t));
}

TermPtr named(std::string name) {
  Term t;
  t.kind = Term::Kind::Name;
  t.name = std::move(name);
  return make(std::move(t));
}

TermPtr readOf(int tensor, std::vector<Affine> map) {
  Term t;
  t.kind = Term::Kind::Read;
  t.tensor = tensor;
  t.map = std::move(map);
  return make(std::move(t));
}

TermPtr call(Fn fn, std::vector<TermPtr> args) {
  Term t;
  t.kind = Term::Kind::Call;
  t.fn = fn;
  t.args = std::move(args);
  return make(std::move(t));
}

TermPtr negated(const TermPtr &t) { return call(Fn::Neg, {t}); }

TermPtr withArgs(const Term &t, std::vector<TermPtr> args) {
  Term copy = t;
  copy.args = std::move(args);
  return make(std::move(copy));
}

TermPtr substitute(const TermPtr &t, const std::map<int, Affine> &by, Indices &indices) {
  Term copy = *t;
  std::map<int, Affine> inner = by;
  for (int &v : copy.reduced) {
    indices.push_back(indices[static_cast<std::size_t>(v)]);
    const int fresh = static_cast<int>(indices.size()) - 1;
    inner[v] = Affine::var(fresh);
    v = fresh;
  }
  copy.affine = renamed(copy.affine, inner);
  for (Affine &a : copy.map) a = renamed(a, inner);
  for (Affine &a : copy.guards) a = renamed(a, inner);
  for (TermPtr &a : copy.args) a = substitute(a, inner, indices);
  return make(std::move(copy));
}

std::string key(const Term &t) {
  std::map<int, std::string> bound;
  return keyIn(t, bound);
}

void visit(const Term &t, const std::function<void(const Term &)> &f) {
  f(t);
  for (const TermPtr &a : t.args) visit(*a, f);
}

bool usesIndex(const Term &t, int index) {
  bool found = false;
  visit(t, [&](const Term &part) {
    found |= part.affine.uses(index);
    for (const Affine &a : part.map) found |= a.uses(index);
    for (const Affine &a : part.guards) found |= a.uses(index);
  });
  return found;
}

TermPtr replaceReads(const TermPtr &t, const std::function<TermPtr(const Term &)> &f) {
  if (t->kind == Term::Kind::Read)
    if (TermPtr other = f(*t)) return other;
  std::vector<TermPtr> args;
  for (const TermPtr &a : t->args) args.push_back(replaceReads(a, f));
  return args == t->args ? t : withArgs(*t, std::move(args));
}

TermPtr fromNode(const graph::Graph &g, const graph::Clause &c, int n, const std::vector<int> &indices) {
  const graph::Node &node = c.body.nodes[static_cast<std::size_t>(n)];
  auto moved = [&](const Affine &a) {
    return a.substitute([&](int v) { return Affine::var(indices[static_cast<std::size_t>(v)]); });
  };
  switch (node.kind) {
  case graph::Node::Kind::Const: return number(node.value);
  case graph::Node::Kind::Index: {
    Term t;
    t.kind = Term::Kind::Index;
    t.affine = moved(node.affine);
    return make(std::move(t));
  }
  case graph::Node::Kind::Scalar: return fromProgram(g.scalars[static_cast<std::size_t>(node.id)]);
  case graph::Node::Kind::Read: {
    std::vector<Affine> map;
    for (const Affine &a : node.map) map.push_back(moved(a));
    return readOf(node.id, std::move(map));
  }
  case graph::Node::Kind::Call: break;
  }
  if (node.fn == Fn::Uniform) return draw(g, c, node);
  std::vector<TermPtr> args;
  for (int a : node.args) args.push_back(fromNode(g, c, a, indices));
  if (node.fn == Fn::ToReal) return args[0];
  if (node.fn == Fn::Select && args[2]->kind == Term::Kind::Number && args[2]->value == 0) {
    Term bracket;
    bracket.kind = Term::Kind::Bracket;
    bracket.args = {args[0]};
    TermPtr condition = make(std::move(bracket));
    if (args[1]->kind == Term::Kind::Number && args[1]->value == 1) return condition;
    return call(Fn::Mul, {condition, args[1]});
  }
  return call(node.fn, std::move(args));
}

} // namespace netc::explain
