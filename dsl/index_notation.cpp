// Index notation, second half: `y[n, o] = ...` becomes formulas.
#include "dsl/elaborator.h"

#include <algorithm>
#include <fmt/format.h>

namespace netc::dsl {

/// The names on the left that are indices: every name alone, and in a sum those that are not constants.
void Elaborator::leftNames(const Expr &e, bool alone, std::vector<const Expr *> &names) {
  if (e.kind == Expr::Kind::Name) {
    const Value *v = findName(e.text);
    if (!alone && v && v->isError()) context->failed = true;
    if (alone || !v || !(v->isNumber() || v->kind == Value::Kind::Batch)) names.push_back(&e);
    return;
  }
  for (const Argument &a : e.args)
    leftNames(*a.value, false, names);
}

/// The name of a definition that failed: silent from now on, and so are its further clauses.
void Elaborator::spoil(const Statement &s) {
  const bool again = frame->clauses.contains(s.name);
  if (!again && !define(s.name, s.nameLocation)) return;
  frame->names[s.name] = Value::error();
  if (again || s.hasShape) frame->clauses[s.name] = -1;
}

void Elaborator::defineIndexed(const Statement &written) {
  if (const auto it = frame->clauses.find(written.name); it != frame->clauses.end() && it->second < 0) return;
  const Statement *const without = withoutPacks(written);
  if (!without) return spoil(written);
  const Statement &s = *without;
  Context own;
  own.root = s.value.get();
  own.frame = frame;
  own.hint = qualified(s.name);
  Context *const saved = context;
  context = &own;
  for (const ExprPtr &e : s.subscripts) {
    std::vector<const Expr *> names;
    leftNames(*e, e->kind == Expr::Kind::Name, names);
    for (const Expr *n : names) {
      const bool seen =
          std::any_of(own.visible.begin(), own.visible.end(), [&](auto &p) { return p.first == n->text; });
      if (!seen) own.visible.emplace_back(n->text, out.newIndex(n->text, n->location));
    }
  }
  std::vector<Affine> left;
  std::set<int> alone;
  for (const ExprPtr &e : s.subscripts) {
    const std::optional<Affine> a = subscript(*e);
    if (!a) own.failed = true;
    left.push_back(a.value_or(Affine()));
    if (int v; left.back().isVar(&v)) alone.insert(v);
  }
  const bool plain = alone.size() == left.size();
  std::optional<Extents> declared;
  const auto earlier = frame->clauses.find(s.name); // a further clause has the shape of the first
  if (s.hasShape)
    declared = extents(s.shape, s.nameLocation);
  else if (earlier != frame->clauses.end())
    declared = out.graph.tensors[earlier->second].shape;
  if (s.hasShape && !declared) own.failed = true;
  if (!plain && !declared && !own.failed) {
    report(s.nameLocation,
           fmt::format("the left-hand side of '{}' is not a plain list of indices: it needs a declared shape",
                       s.name));
    note(s.nameLocation, fmt::format("write {}[...]: [N, 10] = ...", s.name));
    own.failed = true;
  }
  if (declared && declared->size() != left.size()) {
    report(s.nameLocation, fmt::format("'{}' has {} subscripts, but its declared shape is {}", s.name,
                                       left.size(), str(*declared)));
    own.failed = true;
  }
  if (declared && !own.failed)
    for (std::size_t d = 0; d < left.size(); ++d)
      if (int v; left[d].isVar(&v)) {
        fixExtent(v, (*declared)[d], "by the declared shape", s.subscripts[d]->location);
        out.index(v).stated = out.index(v).declared = true;
      }
  if (!own.failed) collect(*s.value, /*guarded=*/false);
  if (!own.failed) solveExtents();
  if (!own.failed) {
    Extents shape = declared.value_or(Extents{});
    if (!declared)
      for (const Affine &a : left)
        shape.push_back(out.index(a.terms()[0].first).extent);
    writeIndexed(s, left, shape, plain);
  } else {
    spoil(s);
  }
  context = saved;
}

bool Elaborator::writableRange(const Statement &s, const std::vector<Affine> &left, const Extents &shape) {
  for (std::size_t d = 0; d < left.size(); ++d) {
    const Interval r = out.rangeOf(left[d]);
    if (r.min >= 0 && r.max < shape[d].size) continue;
    report(s.subscripts[d]->location,
           fmt::format("subscript {} runs from {} to {}, but the declared extent is {}", out.str(left[d]),
                       r.min, r.max, shape[d].size));
    return false;
  }
  return true;
}

void Elaborator::writeIndexed(const Statement &s, const std::vector<Affine> &left, const Extents &shape,
                              bool plain) {
  const std::size_t before = out.graph.tensors.size();
  const Expr *body = s.value.get();
  if (s.accumulates && body->kind == Expr::Kind::Reduce && body->text == "sum") { // one sum, not a sum of sums
    for (int index : context->reductions.at(body))
      context->visible.emplace_back(out.index(index).name, index);
    body = &body->operand(0);
  }
  const Value v = evaluate(*body);
  std::optional<double> otherwise;
  if (s.elseValue) {
    otherwise = number(*s.elseValue, "the value after 'else'");
    if (!otherwise) return spoil(s);
  }
  std::optional<Lazy> l = toLazy(v, startOf(*s.value));
  if (l && !l->shape.empty()) {
    report(startOf(*s.value),
           fmt::format("the right-hand side is {}, a whole tensor: give it subscripts", describe(v)));
    l.reset();
  }
  GraphWriter::Spec spec;
  if (l && s.accumulates) {
    spec.op = graph::Combine::Sum;
    std::vector<Guard> rest;
    for (Guard &g : l->guards) {
      if (g.affine)
        spec.guards.insert(spec.guards.end(), g.inequalities.begin(), g.inequalities.end());
      else
        rest.push_back(std::move(g));
    }
    l->guards = std::move(rest);
    if (!spec.guards.empty()) l->unsafe.clear();
  }
  const bool isCondition = l && l->dtype() == DType::Bool && !s.accumulates;
  if (isCondition) {
    resolveGuards(*l, startOf(*s.value));
    toNumber(*l, DType::F32);
  }
  if (!l || !prepare(*l, startOf(*s.value)) || !writableRange(s, left, shape))
    return spoil(s);
  if (s.accumulates && l->dtype() == DType::I32) l->body.root = l->body.call(Fn::ToReal, l->body.root);
  const graph::Node root = l->root();
  if (plain && !s.accumulates && !s.elseValue && root.kind == graph::Node::Kind::Read && root.map == left &&
      out.graph.tensors[root.id].shape == shape) // an identity needs no formula
    return bind(s.name, s.nameLocation, Value::ofLazy(out.read(root.id)), before);
  for (const auto &[name, variable] : context->visible)
    spec.domain.push_back(variable);
  spec.out = left;
  spec.shape = shape;
  spec.otherwise = otherwise;
  if (frame->clauses.contains(s.name)) {
    addClause(s, out.clause(spec, *l), otherwise);
    return;
  }
  const int t = out.define(spec, *l, label(s.name, s.nameLocation));
  Value defined = Value::ofLazy(out.read(t));
  if (isCondition) defined = compare("!=", std::move(defined), Value::ofNumber(0), s.nameLocation);
  bind(s.name, s.nameLocation, std::move(defined), before);
  if (s.hasShape) frame->clauses[s.name] = t;
}

/// A further definition of a tensor with a declared shape covers other elements of it.
bool Elaborator::addClause(const Statement &s, graph::Clause clause, std::optional<double> otherwise) {
  const int t = frame->clauses.at(s.name);
  std::vector<graph::Formula> &list = out.graph.formulas;
  const auto at =
      std::find_if(list.begin(), list.end(), [&](const graph::Formula &f) { return f.target == t; });
  const graph::Tensor &tensor = out.graph.tensors[t];
  for (auto f = at + 1; f != list.end(); ++f)
    for (const graph::Clause &c : f->clauses)
      for (const graph::Node &n : c.body.nodes)
        if (n.kind == graph::Node::Kind::Read && n.id == t)
          return report(s.nameLocation,
                        fmt::format("'{}' has been read already: all its clauses must stand before that",
                                    s.name)),
                 false;
  if (tensor.shape.size() != clause.out.size() || tensor.dtype != clause.body.nodes[clause.body.root].dtype ||
      (s.accumulates ? graph::Combine::Sum : graph::Combine::Assign) != at->op)
    return report(s.nameLocation,
                  fmt::format("this clause of '{}' differs from its first in shape, type or '+='", s.name)),
           false;
  at->clauses.push_back(std::move(clause));
  if (otherwise) at->otherwise = otherwise;
  std::rotate(at, at + 1, list.end()); // after what the new clause reads
  return true;
}

} // namespace netc::dsl
