// const, input, target, param, state, next, output, loss and metric.
#include "dsl/elaborator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>

namespace netc::dsl {

void Elaborator::checkSettings(const SourceFile &file) {
  std::vector<std::string> names;
  for (const Statement &s : file.statements)
    if (s.kind == Statement::Kind::Const) names.push_back(s.name);
  for (const Setting &s : settings) {
    if (std::find(names.begin(), names.end(), s.name) != names.end()) continue;
    const std::string near = nearest(s.name, names);
    report(s.location, fmt::format("this model has no const '{}'{}", s.name,
                                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
}

void Elaborator::declareConst(const Statement &s) {
  const Expr *e = s.value.get();
  for (const Setting &x : settings)
    if (x.name == s.name) e = x.value.get();
  if (!e) return bind(s.name, s.nameLocation, Value::error(), 0);
  Value v = evaluateRoot(*e, s.name);
  if (!v.isError() && !v.isNumber() && !v.isBoolean() && v.kind != Value::Kind::List)
    v = fail(e->location,
             fmt::format("a const is a number, a boolean or a tensor literal, found {}", describe(v)));
  bind(s.name, s.nameLocation, std::move(v), out.graph.tensors.size());
}

/// A literal as a tensor, of booleans as conditions.
Value Elaborator::listValue(const Value &v, const std::string &name, const Location &at) {
  const int t = listTensor(v, name, at);
  if (t < 0) return Value::error();
  Value read = Value::ofLazy(out.read(t));
  return v.booleans ? compare("!=", std::move(read), Value::ofNumber(0), at) : read;
}

int Elaborator::listTensor(const Value &v, const std::string &name, const Location &at) {
  for (double x : v.values)
    if (!std::isfinite(x)) return report(at, "a tensor literal holds finite numbers only"), -1;
  graph::Tensor t;
  t.name = name;
  for (int k = 2; out.graph.find(t.name) >= 0; ++k) {
    const graph::Tensor &old = out.graph.tensors[out.graph.find(t.name)];
    if (old.kind == graph::TensorKind::Constant && old.values == v.values && old.shape == v.lazy.shape)
      return out.graph.find(t.name);
    t.name = name + "." + std::to_string(k);
  }
  t.kind = graph::TensorKind::Constant;
  t.shape = v.lazy.shape;
  t.values = v.values;
  t.location = place(at);
  return out.graph.addTensor(std::move(t));
}

/// Adds a tensor that all entries share; -1 after an error.
int Elaborator::declareShared(graph::Tensor t, const Location &at) {
  if (out.graph.find(t.name) >= 0) {
    report(at, fmt::format("there is a tensor named '{}' already", t.name));
    return -1;
  }
  t.location = place(at);
  return out.graph.addTensor(std::move(t));
}

bool Elaborator::classes(const Type &type, graph::Tensor &t) {
  t.dtype = DType::I32;
  if (type.classes) {
    const std::optional<std::int64_t> k = integer(*type.classes, "the number of classes");
    if (!k) return false;
    t.classes = static_cast<int>(*k);
    if (*k < 2)
      return report(type.classes->location, fmt::format("a class has at least 2 values, found {}", *k)),
             false;
    return true;
  }
  t.classNames = type.classNames;
  t.classes = static_cast<int>(type.classNames.size());
  std::set<std::string> seen(type.classNames.begin(), type.classNames.end());
  if (seen.size() != type.classNames.size()) return report(type.location, "a class name stands twice"), false;
  if (t.classes < 2) return report(type.location, "a class has at least 2 values, found 1"), false;
  return true;
}

void Elaborator::declareInput(const Statement &s) {
  const bool target = s.kind == Statement::Kind::Target;
  graph::Tensor t;
  t.name = s.name;
  t.kind = target ? graph::TensorKind::Target : graph::TensorKind::Input;
  bool good = true;
  if (s.type.name == "class") {
    if (!target) report(s.type.location, "only a target is a class");
    good = target && classes(s.type, t);
  } else {
    const std::optional<DType> d = parseDType(s.type.name);
    good = d.has_value();
    if (!good) {
      const std::array<std::pair<std::string_view, std::string_view>, 7> foreign = {{{"float", "f32"},
                                                                                     {"float32", "f32"},
                                                                                     {"uint8", "u8"},
                                                                                     {"int32", "i32"},
                                                                                     {"int", "i32"},
                                                                                     {"int64", "i32"},
                                                                                     {"boolean", "bool"}}};
      std::string hint = "u8, i32, f32, bool or class(10)";
      for (const auto &[theirs, ours] : foreign)
        if (theirs == s.type.name) hint = ours;
      report(s.type.location, fmt::format("unknown type '{}': expected {}", s.type.name, hint));
    } else {
      t.dtype = *d;
    }
  }
  const std::optional<Extents> shape = extents(s.type.shape, s.type.location);
  if (shape && (shape->empty() || !(*shape)[0].batch)) {
    report(s.type.location, fmt::format("the first extent of an {} is N, the batch; found {}",
                                        target ? "example's target" : "input", str(*shape)));
    good = false;
  }
  if (shape &&
      std::count_if(shape->begin(), shape->end(), [](const graph::Extent &e) { return e.batch; }) > 1) {
    report(s.type.location, "N stands once in a shape");
    good = false;
  }
  if (!define(s.name, s.nameLocation)) return;
  if (s.name.find('.') != std::string::npos)
    report(s.nameLocation, "a name with a dot belongs to a layer's parameter: choose another");
  frame->names[s.name] = Value::error();
  if (!shape || !good) return;
  t.shape = *shape;
  if (const int id = declareShared(std::move(t), s.nameLocation); id >= 0)
    frame->names[s.name] = Value::ofLazy(out.read(id));
}

void Elaborator::declareParam(const Statement &s) {
  if (inOptimizer) return report(s.location, "an optimizer declares states, not parameters");
  if (!define(s.name, s.nameLocation)) return;
  frame->names[s.name] = Value::error();
  failedPaths.insert(qualified(s.name)); // until it is declared
  const std::optional<Extents> shape = extents(s.shape, s.nameLocation);
  if (!shape) return;
  if (std::any_of(shape->begin(), shape->end(), [](const graph::Extent &e) { return e.batch; }))
    return report(s.nameLocation, "a parameter cannot depend on the batch extent N");
  if (!s.init) {
    report(s.nameLocation, fmt::format("parameter '{}' has no initialiser", s.name));
    return note(
        s.nameLocation,
        fmt::format(
            "write param {}: ... ~ zeros, or ~ uniform(0.1), normal(0.01), kaiming_uniform(a = sqrt(5))",
            s.name));
  }
  const std::optional<graph::Initializer> init = initializer(*s.init, *shape);
  if (!init) return;
  graph::Tensor t;
  t.name = qualified(s.name);
  t.kind = graph::TensorKind::Param;
  t.shape = *shape;
  t.init = *init;
  const int id = declareShared(std::move(t), s.nameLocation);
  if (id < 0) return;
  frame->names[s.name] = Value::ofLazy(out.read(id));
  failedPaths.erase(qualified(s.name));
}

void Elaborator::declareState(const Statement &s) {
  if (!define(s.name, s.nameLocation)) return;
  frame->names[s.name] = Value::error();
  failedPaths.insert(qualified(s.name)); // until it is declared
  std::optional<Extents> shape;
  if (s.hasShape) {
    shape = extents(s.shape, s.nameLocation);
  } else {
    const Value *v = findName(s.like);
    if (v && v->isError()) return;
    if (!v || !v->isTensor())
      return report(s.likeLocation, fmt::format("'like' is followed by a tensor, found {}",
                                                v ? describe(*v) : "the unknown name '" + s.like + "'"));
    shape = v->lazy.shape;
  }
  if (!shape) return;
  if (std::any_of(shape->begin(), shape->end(), [](const graph::Extent &e) { return e.batch; }))
    return report(s.nameLocation, "a state cannot depend on the batch extent N");
  graph::Tensor t;
  t.name = qualified(s.name);
  t.kind = graph::TensorKind::State;
  t.shape = *shape;
  if (s.init) {
    const std::optional<graph::Initializer> init = initializer(*s.init, *shape);
    if (!init) return;
    t.init = *init;
  }
  const int id = declareShared(std::move(t), s.nameLocation);
  if (id < 0) return;
  if (inOptimizer) plan.states.insert(id);
  failedPaths.erase(qualified(s.name));
  frame->names[s.name] = Value::ofLazy(out.read(id));
}

void Elaborator::declareNext(const Statement &s) {
  const Value *v = findName(s.name);
  const int state = v && v->isTensor() ? wholeTensor(v->lazy) : -1;
  if (v && v->isError()) return;
  if (state < 0 || !out.graph.tensors[state].inStore())
    return report(s.nameLocation, fmt::format("'next' updates a state{}, found '{}'",
                                              inOptimizer ? " or the parameter w" : "", s.name));
  if (out.graph.tensors[state].kind == graph::TensorKind::Param && !inOptimizer)
    return report(s.nameLocation, fmt::format("'{}' is a parameter: only an optimizer updates it", s.name));
  for (const graph::Next &n : out.graph.next)
    if (n.state == state)
      return report(s.nameLocation, fmt::format("'{}' has its next value already", s.name));
  const std::size_t before = out.graph.tensors.size();
  const std::string name = out.graph.tensors[state].name + ".next";
  const Value e = evaluateRoot(*s.value, name);
  if (e.isError()) return;
  const Label l{name, place(s.location), origin()};
  int t = settle(e, l, startOf(*s.value));
  if (t < 0) return;
  if (out.graph.tensors[t].shape != out.graph.tensors[state].shape && !out.graph.tensors[t].shape.empty())
    return report(startOf(*s.value),
                  fmt::format("'{}' has shape {}, but its next value has {}", s.name,
                              str(out.graph.tensors[state].shape), str(out.graph.tensors[t].shape)));
  const bool broadcast = out.graph.tensors[t].shape != out.graph.tensors[state].shape;
  if (broadcast || out.graph.tensors[t].kind != graph::TensorKind::Local ||
      out.graph.tensors[t].dtype != DType::F32) { // a value of its own
    Lazy copy = out.read(t);
    copy.shape = out.graph.tensors[state].shape;
    GraphWriter::Spec spec;
    spec.shape = copy.shape;
    for (int d = 0; d < static_cast<int>(copy.shape.size()); ++d)
      spec.domain.push_back(d), spec.out.push_back(Affine::var(d));
    if (copy.dtype() == DType::I32) copy.body.root = copy.body.call(Fn::ToReal, copy.body.root);
    t = out.define(spec, copy, l);
  } else if (t >= static_cast<int>(before)) {
    out.rename(t, name);
  }
  out.graph.next.push_back({state, t});
}

void Elaborator::addResult(graph::Result::Kind kind, const std::string &name, int tensor,
                           const Location &at) {
  if (!resultNames.insert(name).second)
    return report(at, fmt::format("there is a result named '{}' already", name));
  out.graph.results.push_back({kind, name, tensor});
}

void Elaborator::declareOutput(const Statement &s) {
  Value v;
  const std::size_t before = out.graph.tensors.size();
  if (s.value) {
    v = evaluateRoot(*s.value, s.name);
  } else {
    const Value *known = findName(s.name);
    if (known) {
      v = *known;
    } else {
      Expr e;
      e.kind = Expr::Kind::Name;
      e.text = s.name;
      e.location = s.nameLocation;
      v = unknownName(e);
    }
  }
  if (v.isError()) return;
  if (v.isTensor() && v.lazy.dtype() == DType::Bool)
    return report(s.location, "an output is made of numbers: write where(condition, 1, 0)");
  int t = settle(v, label(s.name, s.nameLocation), s.value ? startOf(*s.value) : s.nameLocation);
  if (t < 0) return;
  if (out.graph.tensors[t].kind != graph::TensorKind::Local) { // a result is a formula's
    Lazy copy = out.read(t);
    copy.body.root = copy.dtype() == DType::I32 ? copy.body.call(Fn::ToReal, copy.body.root) : copy.body.root;
    GraphWriter::Spec spec;
    spec.shape = copy.shape;
    for (int d = 0; d < static_cast<int>(copy.shape.size()); ++d)
      spec.domain.push_back(d), spec.out.push_back(Affine::var(d));
    t = out.define(spec, copy, label(s.name, s.nameLocation));
  }
  if (t >= static_cast<int>(before)) out.rename(t, s.name);
  addResult(graph::Result::Kind::Output, s.name, t, s.nameLocation);
  if (s.value && define(s.name, s.nameLocation)) frame->names[s.name] = Value::ofLazy(out.read(t));
}

void Elaborator::declareMeasure(const Statement &s) {
  const bool loss = s.kind == Statement::Kind::Loss;
  std::string name = s.name;
  if (name.empty()) {
    name = "loss";
    for (int k = 2; resultNames.contains(name); ++k)
      name = "loss" + std::to_string(k);
  }
  const std::size_t before = out.graph.tensors.size();
  const Value v = evaluateRoot(*s.value, name);
  if (v.isError()) return;
  if (v.isTensor() && !v.lazy.shape.empty()) {
    report(startOf(*s.value),
           fmt::format("a {} is a single number, found {}", loss ? "loss" : "metric", describe(v)));
    return note(startOf(*s.value), "reduce it, as in mean(n) y[n]");
  }
  int t = settle(v, label(name, s.location), startOf(*s.value));
  if (t < 0) return;
  if (out.graph.tensors[t].kind != graph::TensorKind::Local || out.graph.tensors[t].dtype != DType::F32) {
    Lazy copy = out.read(t);
    if (copy.dtype() == DType::I32) copy.body.root = copy.body.call(Fn::ToReal, copy.body.root);
    t = out.define({}, copy, label(name, s.location));
  }
  if (t >= static_cast<int>(before)) out.rename(t, name);
  const bool twice = std::any_of(out.graph.results.begin(), out.graph.results.end(),
                                 [&](const graph::Result &r) { return r.tensor == t; });
  if (twice && loss) t = out.define({}, out.read(t), label(name, s.location));
  addResult(loss ? graph::Result::Kind::Loss : graph::Result::Kind::Metric, name, t, s.location);
}

} // namespace netc::dsl
