// Calls: of scalar functions of the table, fn and layer declarations; built-in functions are in builtins.cpp.
#include "dsl/elaborator.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fmt/format.h>

namespace netc::dsl {

namespace {

constexpr int deepestCall = 40;
constexpr int mostSteps = 100000; // calls and statements of one elaboration

/// What a program may call by name: the real functions that are no operators.
std::optional<Fn> callable(const std::string &name) {
  const std::optional<Fn> f = findFunction(name);
  if (f && row(*f).signature == Signature::Real && row(*f).symbol.empty() && *f != Fn::Neg && *f != Fn::Fma &&
      *f != Fn::Given)
    return f;
  return std::nullopt;
}

/// layer1.0.conv1: words joined by dots, the first of which begins with a letter.
bool isPath(const std::string &s) {
  const auto isPart = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  if (s.empty() || std::isdigit(static_cast<unsigned char>(s[0]))) return false;
  for (std::size_t i = 0; i < s.size(); ++i)
    if (!isPart(s[i]) && (s[i] != '.' || i == 0 || i + 1 == s.size() || !isPart(s[i + 1]))) return false;
  return true;
}

} // namespace

const std::vector<std::string> &builtins() {
  static const std::vector<std::string> names = {"where", "stop_gradient", "rank", "shape", "class_count", "is_integer", "div", "mod",
                                                 "each",  "all", "product", "ravel", "f32", "i32", "bool", "uniform"};
  return names;
}

bool isBuiltin(const std::string &name) { return std::find(builtins().begin(), builtins().end(), name) != builtins().end(); }

bool Elaborator::isLayer(const std::string &name) const {
  const Value *const passed = layerNamed(name);
  if (passed && passed->layer->chain) return true;
  const auto it = library.find(passed ? passed->layer->name : name);
  return it != library.end() && it->second->kind == Callable::Kind::Layer;
}

void Elaborator::spend(const Location &at) {
  if (++steps <= mostSteps) return;
  report(at, fmt::format(
                 "this model takes more than {} calls and statements to elaborate: does a layer call itself?",
                 mostSteps));
  throw Abandoned{};
}

/// The frame of a call, with its caller's path.
Elaborator::Frame Elaborator::entered(const Expr &e, const Callable *callable) {
  spend(e.location);
  if (frame->depth >= deepestCall) {
    report(e.location,
           fmt::format("calls nest more than {} levels deep: does '{}' call itself?", deepestCall, e.text));
    throw Abandoned{};
  }
  Frame callee;
  callee.callable = callable;
  callee.path = frame->path;
  callee.callSite = e.location;
  callee.caller = frame;
  callee.depth = frame->depth + 1;
  return callee;
}

Value Elaborator::evaluateCall(const Expr &e) {
  const Value *const passed = layerNamed(e.text);
  if (passed && passed->layer->chain) return callChain(e, *passed->layer);
  const std::string &name = passed ? passed->layer->name : e.text;
  const auto it = library.find(name);
  const bool known = it != library.end() || (!passed && isBuiltin(name)) || callable(name);
  if (!known) return unknownCallee(e);
  if (!e.label.empty() && !isLayer(e.text) && name != "uniform")
    report(e.labelLocation, fmt::format("'as' names a layer, but '{}' is none", e.text));
  if (it != library.end()) {
    switch (it->second->kind) {
    case Callable::Kind::Layer:
      return callLayer(e, *it->second);
    case Callable::Kind::Function:
      return callFunction(e, *it->second);
    case Callable::Kind::Init:
      return fail(e.location,
                  fmt::format("'{}' is an initialiser: it stands after '~' in a declaration", e.text));
    case Callable::Kind::Optimizer:
      return fail(e.location, fmt::format("'{}' is an optimizer: it stands after 'train'", e.text));
    }
  }
  if (!passed && isBuiltin(name)) return builtin(e);
  return callScalar(e, *callable(name));
}

Value Elaborator::unknownCallee(const Expr &e) {
  const Value *const v = findName(e.text);
  if (v && !v->isError())
    return fail(e.location, fmt::format("'{}' is {} here, not a layer that can be called", e.text, describe(*v)));
  for (const Argument &a : e.args) { // further mistakes inside are worth reporting too
    if (a.value->kind == Expr::Kind::Call) evaluate(*a.value);
    if (a.value->kind == Expr::Kind::Name && context) context->unknown.insert(a.value->text);
  }
  if (!e.label.empty()) failedPaths.insert(qualified(e.label));
  const std::string scope = frame->callable ? frame->callable->name : "";
  if (!unknownCallees.insert(e.text).second || v || unknownNames.contains(scope + "/" + e.text)) return Value::error();
  const std::string advice = adviceFor(e.text);
  report(e.location, fmt::format("unknown layer or function '{}'{}", e.text,
                                 advice.empty() ? suggestion(e.text, /*callable=*/true) : ""));
  if (!advice.empty()) note(e.location, advice);
  return Value::error();
}

Value Elaborator::callScalar(const Expr &e, Fn f) {
  const std::size_t arity = static_cast<std::size_t>(row(f).arity);
  std::vector<Value> args;
  for (const Argument &a : e.args) // whatever they are to e: layers among them declare their parameters
    args.push_back(evaluate(*a.value));
  if (e.args.size() != arity)
    return fail(e.location, fmt::format("{} takes {} argument{}, found {}", e.text, arity,
                                        arity == 1 ? "" : "s", e.args.size()));
  for (const Argument &a : e.args)
    if (!a.name.empty()) return fail(a.location, fmt::format("{} takes its arguments by position", e.text));
  if (f == Fn::Pow) return power(std::move(args[0]), std::move(args[1]), e.location);
  return apply(f, std::move(args), e.location);
}

/// Where several calls do not fit a declaration of the user's own, the mistake is rather there: one message.
bool Elaborator::reportCall(const Callable &c, const Location &at, const std::string &what, const std::string &message) {
  if (!c.prelude && !blamed.insert(c.name + "/" + what).second) return false;
  report(at, message);
  return true;
}

std::map<std::string, const Argument *> Elaborator::matchArguments(const Expr &e, const Callable &c,
                                                                   bool &ok) {
  std::map<std::string, const Argument *> given;
  std::vector<std::string> names;
  for (const Parameter &p : c.parameters)
    names.push_back(p.name);
  std::size_t position = 0;
  for (const Argument &a : e.args) {
    std::string to = a.name;
    if (to.empty()) {
      if (position >= names.size()) {
        reportCall(c, a.location, "count", fmt::format("too many arguments: '{}' takes at most {}", c.name, names.size()));
        ok = false;
        break;
      }
      to = names[position++];
    } else if (std::find(names.begin(), names.end(), to) == names.end()) {
      std::string near = foreignName(to);
      if (std::find(names.begin(), names.end(), near) == names.end()) near = nearest(to, names);
      const std::string advice = adviceFor(to);
      const std::string hint = near.empty() || !advice.empty() ? "" : fmt::format("; did you mean '{}'?", near);
      const bool told = reportCall(c, a.location, to, fmt::format("'{}' has no argument '{}'{}", c.name, to, hint));
      if (told && !advice.empty()) note(a.location, advice);
      ok = false;
      continue;
    }
    if (!given.emplace(to, &a).second) {
      report(a.location, fmt::format("argument '{}' of '{}' is given twice", to, c.name));
      ok = false;
    }
  }
  return given;
}

/// Arguments are evaluated where the call stands, defaults inside the callee. `whole`: tensors are
/// materialized, and a layer gets its path, after the layers among its arguments have got theirs.
bool Elaborator::bindArguments(const Expr &e, const Callable &c, Frame &callee, bool whole) {
  bool ok = true;
  const auto given = matchArguments(e, c, ok);
  std::map<std::string, Value> values;
  for (const Argument &a : e.args) { // in the order in which they are written, also those that have no place
    const auto it = std::find_if(given.begin(), given.end(), [&](const auto &g) { return g.second == &a; });
    const std::string name = it == given.end() ? std::string() : it->first;
    values[name] = whole ? evaluateRoot(*a.value, qualified(c.name + "." + name)) : evaluate(*a.value);
  }
  if (c.kind == Callable::Kind::Layer) callee.path = layerPath(e, c, ok);
  for (const Parameter &p : c.parameters) {
    const auto it = given.find(p.name);
    Value v;
    if (it != given.end()) {
      v = std::move(values[p.name]);
      if (whole) v = wholeValue(std::move(v), *it->second->value, callee.path + "." + p.name);
    } else if (p.fallback) {
      Frame *const caller = frame;
      frame = &callee;
      v = evaluateRoot(*p.fallback, {});
      frame = caller;
    } else {
      if (ok) reportCall(c, e.location, p.name, fmt::format("'{}' needs an argument for '{}'", c.name, p.name));
      ok = false;
    }
    const Location at = it != given.end() ? startOf(*it->second->value) : e.location;
    if (p.hasShape && v.kind == Value::Kind::List) v = listValue(v, callee.path + "." + p.name, at);
    ok = ok && !v.isError();
    if (!v.isError() && p.hasShape) ok = bindShape(p, v, callee, at) && ok;
    callee.arguments[p.name] = std::move(v);
  }
  return ok;
}

namespace {

std::string pattern(const Shape &shape) {
  std::string s;
  for (const ExprPtr &e : shape)
    s += (s.empty() ? "" : ", ") + print(*e);
  return "[" + s + "]";
}

/// ", where S is [1]": what the packs of a pattern stand for, as far as earlier arguments have settled it.
template <class Arguments> std::string knownPacks(const Shape &shape, const Arguments &arguments) {
  std::string known;
  for (const ExprPtr &e : shape) {
    std::string name = print(*e);
    if (!name.ends_with("...")) continue;
    name.resize(name.size() - 3);
    const auto it = arguments.find(name);
    if (it != arguments.end()) known += fmt::format(", where {} is {}", name, describe(it->second));
  }
  return known;
}

} // namespace

/// x: [N, C, H, W] gives names to the extents; a name or number that is known already must agree.
bool Elaborator::bindShape(const Parameter &p, const Value &v, Frame &callee, const Location &at) {
  const std::string expected = pattern(p.shape) + knownPacks(p.shape, callee.arguments);
  std::vector<const Expr *> items;
  if (waits(v, at)) return false;
  if (v.isTensor() && !packShape(p, v.lazy.shape, callee, items)) return false;
  if (!v.isTensor() || v.lazy.shape.size() != items.size()) {
    const bool told = reportCall(*callee.callable, at, p.name + "/rank",
                                 fmt::format("'{}' expects {} of shape {}, found {}", callee.callable->name, p.name, expected,
                                             describe(v)));
    if (told && v.isNumber() && &p == &callee.callable->parameters.front())
      note(at, fmt::format("a layer that is passed on, with its input yet to come, is written |> {}(...)",
                           callee.callable->name));
    return false;
  }
  for (std::size_t d = 0; d < items.size(); ++d) {
    if (!items[d]) continue; // of the pack that this dimension has just given a value
    const graph::Extent found = v.lazy.shape[d];
    const Expr &e = *items[d];
    const Value here = found.batch ? Value::ofBatch() : Value::ofNumber(static_cast<double>(found.size));
    const bool fresh = e.kind == Expr::Kind::Name && !callee.arguments.contains(e.text);
    if (fresh) {
      callee.arguments[e.text] = here;
      continue;
    }
    Frame *const caller = frame;
    frame = &callee;
    const Value wanted = evaluateRoot(e, {});
    frame = caller;
    if (wanted.isError()) return false;
    if (wanted.kind == here.kind && wanted.number == here.number) continue;
    report(at, fmt::format("'{}' expects {} of shape {}, found {}: dimension {} should be {}",
                           callee.callable->name, p.name, expected, describe(v), d,
                           wanted.isNumber() ? fmt::format("{}", wanted.number) : "N"));
    return false;
  }
  return true;
}

Value Elaborator::callFunction(const Expr &e, const Callable &c) {
  Frame callee = entered(e, &c);
  if (!bindArguments(e, c, callee, /*whole=*/false)) return Value::error();
  const std::string hint = context ? context->hint : std::string();
  frame = &callee;
  Value v = evaluateRoot(*c.value, hint);
  if (!c.derivatives.empty() && !inOptimizer) v = withDerivatives(std::move(v), e, c);
  frame = callee.caller;
  return numbered(std::move(v), e.location);
}

/// The value of a function, with its given derivatives: given(f(x), x, d), and for several arguments
/// given(f(x, y), given(0, x, d1) + given(0, y, d2), 1). Requires: the function's frame.
Value Elaborator::withDerivatives(Value v, const Expr &call, const Callable &c) {
  if (!v.isTensor() || v.lazy.dtype() != DType::F32) return v;
  std::vector<std::pair<Value, Value>> parts; // an argument, and the derivative for it
  for (std::size_t i = 0; i < c.parameters.size(); ++i) {
    const Value &x = frame->arguments.at(c.parameters[i].name);
    if (!x.isTensor() || x.lazy.dtype() != DType::F32) continue; // no gradient flows into it
    if (i >= c.derivatives.size())
      return fail(call.location, fmt::format("no derivative of '{}' is given for '{}': it must be a number here", c.name,
                                             c.parameters[i].name));
    Value d = evaluateRoot(*c.derivatives[i], {});
    if (d.isError()) return d;
    parts.emplace_back(x, std::move(d));
  }
  const auto given = [&](Value value, Value x, Value d) {
    return apply(Fn::Given, {std::move(value), std::move(x), std::move(d)}, call.location);
  };
  if (parts.empty()) return v;
  if (parts.size() == 1) return given(std::move(v), std::move(parts[0].first), std::move(parts[0].second));
  Value all;
  for (auto &[x, d] : parts) {
    Value part = given(Value::ofNumber(0), std::move(x), std::move(d));
    all = &x == &parts.front().first ? std::move(part) : apply(Fn::Add, {std::move(all), std::move(part)}, call.location);
  }
  return given(std::move(v), std::move(all), Value::ofNumber(1));
}

std::string Elaborator::layerPath(const Expr &e, const Callable &c, bool &ok) {
  if (e.label.empty()) return qualified(c.name + std::to_string(++frame->counters[c.name]));
  const std::optional<std::string> name = layerName(e);
  ok = ok && name;
  if (!name) return qualified(e.label);
  const auto [first, fresh] = frame->defined.emplace("as " + *name, e.labelLocation);
  if (!fresh) {
    report(e.labelLocation, fmt::format("the layer name '{}' is used twice", *name));
    const bool repeated = first->second.line == e.labelLocation.line && first->second.column == e.labelLocation.column;
    note(first->second, repeated ? "in a repetition the name needs its number: repeat i < 3 { ... as \"block{i}\" }"
                                 : "the first layer of that name stands here");
    ok = false;
  }
  return qualified(*name);
}

/// What `as` says, with the values of its {}.
std::optional<std::string> Elaborator::layerName(const Expr &e) {
  std::string name;
  auto part = e.labelParts.begin();
  for (const char c : e.label) {
    if (c == '{') {
      const std::optional<std::int64_t> k = integer(**part++, "a part of a layer's name");
      if (!k) return std::nullopt;
      name += std::to_string(*k);
    } else if (c != '}') {
      name += c;
    }
  }
  if (isPath(qualified(name))) return name;
  report(e.labelLocation,
         fmt::format("'{}' is no name of a layer: expected words of letters, digits and '_', joined by dots, as in "
                     "layer1.0; a parameter's path begins with a letter",
                     name));
  return std::nullopt;
}

Value Elaborator::callLayer(const Expr &e, const Callable &c) {
  Frame callee = entered(e, &c);
  const bool bound = bindArguments(e, c, callee, /*whole=*/true);
  if (!bound) {
    failedPaths.insert(callee.path);
    return Value::error();
  }
  const std::size_t before = out.graph.tensors.size();
  frame = &callee;
  Context *const saved = context;
  std::optional<Value> v;
  try {
    v = runBlock(c.body);
  } catch (const RequirementFailed &) {
    context = saved;
    frame = callee.caller;
    failedPaths.insert(callee.path);
    return Value::error();
  }
  if (!v) {
    report(c.location,
           fmt::format("layer '{}' ends without a value: its last statement must define or be one", c.name));
    v = Value::error();
  }
  if (v->isTensor() && wholeTensor(v->lazy) < 0 && v->lazy.dtype() != DType::Bool) {
    const int t = settle(*v, label("y", e.location), e.location);
    v = t < 0 ? Value::error() : Value::ofLazy(out.read(t));
  }
  frame = callee.caller;
  if (!v->isTensor()) return *v;
  if (const int t = wholeTensor(v->lazy); t >= static_cast<int>(before)) {
    out.rename(t, callee.path);
    fixedNames.erase(t); // the caller may name it
  }
  return *v;
}

// --- layers as values

namespace {

/// The names that a chain reads, less those of what is called only.
void namesIn(const Expr &e, std::set<std::string> &names) {
  if (e.kind == Expr::Kind::Name || e.kind == Expr::Kind::Call) names.insert(e.text);
  for (const Argument &a : e.args)
    namesIn(*a.value, names);
  for (const Binder &b : e.binders)
    if (b.bound) namesIn(*b.bound, names);
  for (const auto &part : e.labelParts)
    namesIn(*part, names);
}

} // namespace

/// A chain keeps the values of the names in it, as they are where it is written.
Value Elaborator::layerValue(const Expr &chain) {
  LayerValue l;
  l.chain = &chain.operand(0);
  std::set<std::string> names;
  namesIn(*l.chain, names);
  for (const std::string &n : names)
    if (const Value *v = findName(n)) l.names.emplace(n, *v);
  return Value::ofLayer(std::move(l));
}

/// The layer that a name of this place stands for, if it does.
const Value *Elaborator::layerNamed(const std::string &name) const {
  const Value *const v = findName(name);
  return v && v->kind == Value::Kind::Layer ? v : nullptr;
}

/// A chain that is used as a tensor is one mistake, however often it is used: nothing has been piped into it.
bool Elaborator::waits(const Value &v, const Location &at) {
  if (v.kind != Value::Kind::Layer || !v.layer->chain) return false;
  const Expr &chain = *v.layer->chain;
  if (waitingChains.insert(&chain).second) {
    report(at, "expected a tensor or a number, found a chain of layers that waits for its input");
    note(startOf(chain), "nothing is piped in here: write x |> ...");
  }
  excuse(chain);
  return true;
}

/// The layers of a chain get their names as if its text stood at the call; `as` puts them under a name of their own.
Value Elaborator::callChain(const Expr &e, const LayerValue &layer) {
  Frame inner = entered(e, frame->callable);
  if (e.args.size() != 1 || !e.args[0].name.empty())
    return fail(e.location, fmt::format("'{}' is a chain of layers, into which one value is piped; found {} arguments",
                                        e.text, e.args.size()));
  Value input = wholeArgument(e.operand(0), qualified(e.text + ".x"));
  if (input.isError()) return input;
  inner.names = layer.names;
  inner.arguments.emplace(chainInput, std::move(input));
  bool named = true;
  Callable own;
  own.name = e.text;
  inner.path = e.label.empty() ? frame->path : layerPath(e, own, named);
  if (!named) return Value::error();
  if (e.label.empty()) inner.counters.swap(frame->counters), inner.defined.swap(frame->defined);
  frame = &inner;
  Value v = evaluateRoot(*layer.chain, qualified(e.text));
  frame = inner.caller;
  if (e.label.empty()) inner.counters.swap(frame->counters), inner.defined.swap(frame->defined);
  return v;
}

/// An argument that a layer (or a subscript) takes as a whole: a tensor gets a formula of its own.
Value Elaborator::wholeArgument(const Expr &e, const std::string &hint) {
  return wholeValue(evaluateRoot(e, hint), e, hint);
}

Value Elaborator::wholeValue(Value v, const Expr &e, const std::string &hint) {
  if (!v.isTensor() || wholeTensor(v.lazy) >= 0 || v.lazy.dtype() == DType::Bool) return v;
  if (!readsTensor(v.lazy)) return v; // a run-time or random number
  Label l{hint, place(e.location), origin()};
  const auto f = library.find(e.text);
  if (e.kind == Expr::Kind::Call && (f == library.end() || f->second->kind == Callable::Kind::Function)) { // relu1, relu2, ...
    l.name = qualified(e.text + std::to_string(++frame->counters[e.text]));
    l.origin = e.text;
  }
  const int t = settle(std::move(v), l, e.location);
  return t < 0 ? Value::error() : Value::ofLazy(out.read(t));
}

} // namespace netc::dsl
