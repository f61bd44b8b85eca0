// Expressions -> values.
#include "dsl/elaborator.h"
#include "dsl/parser.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace netc::dsl {

namespace {

constexpr int deepestEvaluation = 500; // bounds the native stack

struct Level {
  int &depth;
  explicit Level(int &d) : depth(d) { ++depth; }
  ~Level() { --depth; }
};

} // namespace

Value Elaborator::evaluateRoot(const Expr &written, const std::string &hint) {
  if (written.kind == Expr::Kind::Expand) return evaluatePack(written, hint);
  const Expr *const without = withoutPacks(written);
  if (!without) return Value::error();
  const Expr &e = *without;
  Context own;
  own.root = &e;
  own.frame = frame;
  own.hint = hint;
  Context *const saved = context;
  const bool inside = saved && saved->frame == frame; // what was reported there is not reported here, and back
  if (inside) own.unknown = saved->unknown;
  context = &own;
  collect(e, /*guarded=*/false);
  if (!own.failed) solveExtents();
  Value v = own.failed ? Value::error() : evaluate(e);
  context = saved;
  if (inside) saved->unknown = std::move(own.unknown);
  return v;
}

Value Elaborator::evaluate(const Expr &e) {
  Level level(depth);
  if (depth > deepestEvaluation) {
    report(e.location, "calls and expressions nest too deeply here");
    throw Abandoned{};
  }
  switch (e.kind) {
  case Expr::Kind::Number:
    return Value::ofNumber(e.number);
  case Expr::Kind::Text:
    return Value::ofText(e.text);
  case Expr::Kind::Name:
    return evaluateName(e);
  case Expr::Kind::Call:
    return evaluateCall(e);
  case Expr::Kind::Subscript:
    return evaluateSubscript(e);
  case Expr::Kind::Unary:
    return evaluateUnary(e);
  case Expr::Kind::Binary:
    return evaluateBinary(e);
  case Expr::Kind::Reduce:
    return evaluateReduce(e);
  case Expr::Kind::Bracket:
    return evaluateBracket(e);
  case Expr::Kind::Chain:
    return layerValue(e);
  case Expr::Kind::Input:
    return frame->arguments.at(chainInput);
  case Expr::Kind::Locals:
    return evaluateLocals(e);
  case Expr::Kind::Expand: // withoutPacks has replaced the others
    return fail(e.location, "'...' stands behind an item of a list, as in x[n, s...]");
  }
  return Value::error();
}

const Value *Elaborator::findName(const std::string &name) const {
  for (const auto *table : {&frame->names, &frame->arguments})
    if (const auto it = table->find(name); it != table->end()) return &it->second;
  if (frame == &model || (frame->callable && frame->callable->prelude)) return nullptr;
  const auto it = model.names.find(name); // a user's layer sees the constants of the model
  if (it == model.names.end() || model.repetitions.contains(name)) return nullptr;
  const Value &v = it->second;
  if (!v.isTensor()) return &v;
  const int t = wholeTensor(v.lazy);
  return t >= 0 && out.graph.tensors[t].kind == graph::TensorKind::Constant ? &v : nullptr;
}

Value Elaborator::evaluateName(const Expr &e) {
  if (context)
    for (auto it = context->visible.rbegin(); it != context->visible.rend(); ++it)
      if (it->first == e.text) return Value::ofIndex(Affine::var(it->second));
  if (context)
    for (auto it = context->locals.rbegin(); it != context->locals.rend(); ++it)
      if (it->first == e.text) {
        if (it->second.kind != Value::Kind::Text) return it->second;
        context->failed = true;
        return fail(e.location, fmt::format("'{}' is computed from tensors, and a tensor cannot be a subscript yet", e.text));
      }
  if (const Value *v = findName(e.text)) return *v;
  if (inOptimizer && e.text == "gradient_norm") return gradientNorm();
  if (e.text == "true" || e.text == "false") return Value::ofBoolean(e.text == "true");
  if (e.text == "training") return Value::ofBoolean(training);
  if (e.text == "N") return Value::ofBatch();
  if (e.text == "pi") return Value::ofNumber(3.14159265358979323846);
  if (e.text == "inf") return Value::ofNumber(std::numeric_limits<double>::infinity());
  if (e.text == "step") return Value::ofProgram({{ScalarOp::Step}}, "step");
  if (e.text == "epoch") return Value::ofProgram({{ScalarOp::Epoch}}, "epoch");
  if (e.text == "steps") return Value::ofProgram({{ScalarOp::Steps}}, "steps");
  if (e.text.find('.') != std::string::npos)
    if (const int t = out.graph.find(e.text); t >= 0 && frame == &model && out.graph.tensors[t].inStore())
      return Value::ofLazy(out.read(t));
  return unknownName(e);
}

namespace {

/// The reduction of `e` that binds `name`, if any.
const Expr *binderOf(const Expr &e, const std::string &name) {
  for (const Binder &b : e.binders)
    if (b.name == name) return &e;
  for (const Argument &a : e.args)
    if (const Expr *r = binderOf(*a.value, name)) return r;
  return nullptr;
}

} // namespace

Value Elaborator::unknownIndex(const Expr &e) {
  context->failed = true;
  if (!context->unknown.insert(e.text).second) return Value::error();
  report(e.location, fmt::format("index '{}' is neither on the left nor reduced", e.text));
  if (const Expr *r = binderOf(*context->root, e.text))
    note(r->location,
         fmt::format("a reduction's body is one product; put a longer one in parentheses: {}({}) (...)",
                     r->text, e.text));
  else
    note(e.location, fmt::format("write sum({}) ..., or name it on the left", e.text));
  return Value::error();
}

/// True for a name of what an error elsewhere has left undeclared, as in conv1.weight after a wrong call of conv.
bool Elaborator::excused(const std::string &path) const {
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1))
    if (failedPaths.contains(path.substr(0, dot))) return true;
  if (failedPaths.contains(path)) return true;
  const std::string layer = path.substr(0, path.find('.')), kind = layer.substr(0, layer.find_last_not_of("0123456789") + 1);
  if (!unknownCallees.empty() && isLayer(kind)) return true; // it may be the one that was meant there
  return unknownCallees.contains(kind) || failedCallees.contains(kind);
}

Value Elaborator::unknownName(const Expr &e) {
  if (context && context->subscriptDepth > 0) return unknownIndex(e);
  if (isBuiltin(e.text))
    return fail(e.location, fmt::format("'{0}' is a function: call it, as in {0}({1})", e.text, e.text == "uniform" ? "" : "x"));
  const auto declared = library.find(e.text);
  if (declared == library.end() ? findFunction(e.text).has_value()
                                : declared->second->kind == Callable::Kind::Layer ||
                                      declared->second->kind == Callable::Kind::Function)
    return Value::ofLayer({e.text, nullptr, {}});
  if (context && !context->unknown.insert(e.text).second) return Value::error();
  if (declared != library.end())
    return fail(e.location, fmt::format("'{}' is an {}, not a value", e.text, name(declared->second->kind)));
  const std::string scope = frame->callable ? frame->callable->name : "";
  if (excused(e.text) || unknownCallees.contains(e.text) || !unknownNames.insert(scope + "/" + e.text).second) return Value::error();
  const std::string hint = suggestion(e.text, /*callable=*/false);
  report(e.location, fmt::format("unknown name '{}'{}", e.text, hint));
  const auto below = frame == &model ? statedNames.find(e.text) : statedNames.end();
  if (below != statedNames.end() && below->second.line > e.location.line)
    note(below->second, "it is defined here, further down: statements are carried out in order");
  if (frame != &model && model.names.contains(e.text))
    note(model.defined.contains(e.text) ? model.defined.at(e.text) : e.location,
         "a layer sees its arguments and the model's constants only: pass it as an argument");
  return Value::error();
}

Value Elaborator::evaluateUnary(const Expr &e) {
  Value v = evaluate(e.operand(0));
  if (v.isError()) return v;
  return e.text == "-" ? negate(std::move(v), e.location)
                       : logic("not", std::move(v), Value::ofBoolean(true), e.location);
}

Value Elaborator::evaluateBinary(const Expr &e) {
  Value a = evaluate(e.operand(0));
  Value b = evaluate(e.operand(1));
  if (a.isError() || b.isError()) return Value::error();
  if (e.text == "+") return apply(Fn::Add, {std::move(a), std::move(b)}, e.location);
  if (e.text == "-") return apply(Fn::Sub, {std::move(a), std::move(b)}, e.location);
  if (e.text == "*") return apply(Fn::Mul, {std::move(a), std::move(b)}, e.location);
  if (e.text == "/") return apply(Fn::Div, {std::move(a), std::move(b)}, e.location);
  if (e.text == "^") return power(std::move(a), std::move(b), e.location);
  if (e.text == "and" || e.text == "or") return logic(e.text, std::move(a), std::move(b), e.location);
  return compare(e.text, std::move(a), std::move(b), e.location);
}

Value Elaborator::evaluateLocals(const Expr &e) {
  const std::size_t before = context->locals.size();
  for (const Argument &a : e.args) {
    Value v = evaluate(*a.value);
    if (a.name.empty()) {
      context->locals.resize(before);
      return v;
    }
    context->locals.emplace_back(a.name, std::move(v));
  }
  return Value::error(); // not reached: the last one has no name
}

Value Elaborator::evaluateBracket(const Expr &e) {
  if (e.args.size() != 1 || e.operand(0).kind == Expr::Kind::Bracket) return literal(e);
  Value v = evaluate(e.operand(0));
  if (v.isError()) return v;
  if (v.isBoolean()) return Value::ofNumber(v.number);
  if (v.isNumber()) return literal(e);
  if (!v.isTensor() || v.lazy.dtype() != DType::Bool)
    return fail(e.location,
                fmt::format("brackets hold a condition or a list of numbers, found {}", describe(v)));
  Guard g;
  g.node = v.lazy.body.root;
  g.affine = v.lazy.condition.has_value();
  if (g.affine) g.inequalities = *v.lazy.condition;
  v.lazy.condition.reset();
  v.lazy.guards.push_back(std::move(g));
  v.lazy.body.root = v.lazy.body.constant(1);
  return v;
}

Value Elaborator::literal(const Expr &e) {
  Value list;
  list.kind = Value::Kind::List;
  std::optional<Extents> inner;
  for (const Argument &a : e.args) {
    const bool nested = a.value->kind == Expr::Kind::Bracket;
    Value v = nested ? literal(*a.value) : evaluate(*a.value);
    if (v.isError()) return v;
    if (!nested && !v.isNumber() && !v.isBoolean())
      return fail(a.location, fmt::format("a tensor literal holds numbers or booleans, found {}", describe(v)));
    const bool booleans = nested ? v.booleans : v.isBoolean();
    if (inner && booleans != list.booleans)
      return fail(a.location, "a tensor literal holds numbers or booleans, not both");
    list.booleans = booleans;
    if (!inner) inner = v.lazy.shape;
    if (*inner != v.lazy.shape)
      return fail(a.location, fmt::format("the rows of a tensor literal differ: expected {}, found {}",
                                          str(*inner), str(v.lazy.shape)));
    if (nested)
      list.values.insert(list.values.end(), v.values.begin(), v.values.end());
    else
      list.values.push_back(v.number);
  }
  list.lazy.shape.push_back({static_cast<std::int64_t>(e.args.size()), false});
  if (inner) list.lazy.shape.insert(list.lazy.shape.end(), inner->begin(), inner->end());
  return list;
}

Value Elaborator::evaluateSubscript(const Expr &e) {
  const auto it = context ? context->uses.find(&e) : decltype(context->uses.end()){};
  if (!context || it == context->uses.end()) return Value::error();
  const Use &use = it->second;
  if (use.constant) return *use.constant;
  if (use.tensor < 0) return Value::error();
  Lazy l = out.readAt(use.tensor, use.map);
  const graph::Tensor &t = out.graph.tensors[use.tensor];
  for (std::size_t d = 0; d < use.map.size(); ++d) {
    if (t.shape[d].batch) continue;
    const Interval r = out.rangeOf(use.map[d]);
    if (r.min >= 0 && r.max < t.shape[d].size) continue;
    const std::string place = r.min == r.max ? fmt::format("is outside of 0 to {}", t.shape[d].size - 1)
                                             : fmt::format("runs from {} to {}, but its extent is {}", r.min, r.max, t.shape[d].size);
    l.unsafe.push_back({use.locations[d], fmt::format("subscript {} of {} {}", out.str(use.map[d]), t.name, place)});
  }
  Value element = Value::ofLazy(std::move(l));
  return use.isCondition ? compare("!=", std::move(element), Value::ofNumber(0), e.location) : element;
}

namespace {

graph::Combine combineOf(const std::string &word) {
  if (word == "max") return graph::Combine::Max;
  if (word == "min") return graph::Combine::Min;
  if (word == "prod") return graph::Combine::Prod;
  if (word == "argmax") return graph::Combine::ArgMax;
  if (word == "argmin") return graph::Combine::ArgMin;
  return graph::Combine::Sum; // sum and mean
}

} // namespace

Value Elaborator::evaluateReduce(const Expr &e) {
  const auto it = context->reductions.find(&e);
  if (it == context->reductions.end()) return Value::error();
  const std::vector<int> reduced = it->second;
  for (int v : reduced)
    context->visible.emplace_back(out.index(v).name, v);
  Value body = evaluate(e.operand(0));
  context->visible.resize(context->visible.size() - reduced.size());
  if (body.isError() || (reduced.empty() && !e.text.starts_with("arg"))) return body; // of an empty pack
  std::optional<Lazy> l = toLazy(body, startOf(e.operand(0)));
  if (!l) return Value::error();
  if (!l->shape.empty())
    return fail(startOf(e.operand(0)),
                fmt::format("{} is reduced as a whole: give it subscripts, as in x[n, k]", describe(body)));
  const graph::Combine op = combineOf(e.text);
  std::vector<Affine> guards;
  if (op == graph::Combine::Sum && e.text != "logsumexp") { // points outside an affine condition do not exist
    std::vector<Guard> rest;
    for (Guard &g : l->guards) {
      if (g.affine)
        guards.insert(guards.end(), g.inequalities.begin(), g.inequalities.end());
      else
        rest.push_back(std::move(g));
    }
    l->guards = std::move(rest);
    if (!guards.empty()) l->unsafe.clear(); // the verifier proves them in range
  }
  if (!prepare(*l, startOf(e.operand(0)))) return Value::error();
  if (l->dtype() == DType::I32) l->body.root = l->body.call(Fn::ToReal, l->body.root);
  if (e.text == "logsumexp") return logSumExp(*l, reduced, e.location);
  Lazy sum = out.spill(op, *l, reduced, std::move(guards), std::nullopt,
                       temporary(e.text == "mean" ? ".sum" : "." + e.text, e.location));
  Value v = Value::ofLazy(std::move(sum));
  return e.text == "mean" ? scaled(std::move(v), reduced, e.location) : v;
}

/// log(sum(exp(z))), shifted by the largest z, so that nothing overflows; the result does not depend on the shift.
Value Elaborator::logSumExp(const Lazy &z, const std::vector<int> &reduced, const Location &at) {
  Label name = temporary(".max", at);
  const Lazy largest = out.spill(graph::Combine::Max, z, reduced, {}, std::nullopt, name);
  name = temporary(".shift", at);
  name.origin = "stop_gradient";
  const Value shift = Value::ofLazy(out.spill(graph::Combine::Assign, largest, {}, {}, std::nullopt, name));
  Value e = apply(Fn::Exp, {apply(Fn::Sub, {Value::ofLazy(z), shift}, at)}, at);
  if (e.isError()) return e;
  const Lazy sum = out.spill(graph::Combine::Sum, e.lazy, reduced, {}, std::nullopt, temporary(".sum", at));
  return apply(Fn::Add, {shift, apply(Fn::Log, {Value::ofLazy(sum)}, at)}, at);
}

Value Elaborator::scaled(Value v, const std::vector<int> &reduced, const Location &at) {
  double points = 1;
  bool batch = false;
  for (int i : reduced) {
    const graph::Extent e = out.index(i).extent;
    if (e.batch)
      batch = true;
    else
      points *= static_cast<double>(e.size);
  }
  if (points != 1) v = apply(Fn::Mul, {Value::ofNumber(1 / points), std::move(v)}, at);
  if (!batch) return v;
  const Value inverse =
      Value::ofProgram({{ScalarOp::Const, 1}, {ScalarOp::Count}, {ScalarOp::Div}}, "inv_count");
  return apply(Fn::Mul, {inverse, std::move(v)}, at);
}

std::optional<double> Elaborator::number(const Expr &e, std::string_view what) {
  const Value v = evaluateRoot(e, {});
  if (v.isError()) return std::nullopt;
  if (v.isNumber()) return v.number;
  report(startOf(e), fmt::format("{} must be a number known at compile time, found {}", what, describe(v)));
  return std::nullopt;
}

std::optional<std::int64_t> Elaborator::integer(const Expr &e, std::string_view what) {
  const std::optional<double> x = number(e, what);
  if (!x) return std::nullopt;
  if (*x == std::floor(*x) && std::abs(*x) < 1e9) return static_cast<std::int64_t>(*x);
  report(startOf(e), fmt::format("{} must be an integer, found {}", what, *x));
  return std::nullopt;
}

std::optional<graph::Extent> Elaborator::extent(const Expr &e) {
  const Value v = evaluateRoot(e, {});
  if (v.isError()) return std::nullopt;
  if (v.kind == Value::Kind::Batch) return graph::Extent{out.graph.batch, true};
  if (v.isNumber() && v.number == std::floor(v.number) && v.number >= 1 && v.number < 1e9)
    return graph::Extent{static_cast<std::int64_t>(v.number), false};
  report(startOf(e), fmt::format("an extent must be a positive integer{} or N, found {}",
                                 v.isNumber() && v.number >= 1e9 ? " below 1000000000" : "", describe(v)));
  return std::nullopt;
}

std::optional<Extents> Elaborator::extents(const Shape &shape, const Location &at) {
  constexpr double largest = 1e9; // elements; with headroom below 2^31 bytes a tensor of f32 times the batch
  Extents list;
  double elements = 1;
  const std::optional<std::vector<const Expr *>> items = listItems(shape);
  if (!items) return std::nullopt;
  for (const Expr *e : *items) {
    const std::optional<graph::Extent> x = extent(*e);
    if (!x) return std::nullopt;
    elements *= static_cast<double>(x->size);
    list.push_back(*x);
  }
  if (elements <= largest && list.size() <= 16) return list;
  const bool ofBatch = std::any_of(list.begin(), list.end(), [](const graph::Extent &x) { return x.batch; });
  report(at, fmt::format("a tensor of shape {} is too large: at most 1e9 elements and 16 dimensions{}", str(list),
                         ofBatch ? fmt::format("; N is {} (--batch)", out.graph.batch) : ""));
  return std::nullopt;
}

} // namespace netc::dsl
