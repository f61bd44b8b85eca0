// Initialisers, and the optimizer written out for each parameter.
#include "dsl/elaborator.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace netc::dsl {

namespace {

struct Fans {
  double in = 0, out = 0;
};

/// As PyTorch counts them: the second extent and all after it feed one output.
Fans fans(const Extents &shape) {
  if (shape.size() < 2) return {};
  double taps = 1;
  for (std::size_t d = 2; d < shape.size(); ++d)
    taps *= static_cast<double>(shape[d].size);
  return {static_cast<double>(shape[1].size) * taps, static_cast<double>(shape[0].size) * taps};
}

} // namespace

std::optional<graph::Initializer> Elaborator::initializer(const Expr &e, const Extents &shape) {
  using K = graph::Initializer::Kind;
  if (e.kind != Expr::Kind::Call && e.kind != Expr::Kind::Name) {
    report(e.location, "expected an initialiser such as zeros, uniform(0.1) or normal(0.01)");
    return std::nullopt;
  }
  if (const auto it = library.find(e.text); it != library.end() && it->second->kind == Callable::Kind::Init)
    return userInitializer(e, *it->second, shape);
  std::vector<double> x;
  for (const Argument &a : e.args) {
    const std::optional<double> v = number(*a.value, "an argument of an initialiser");
    if (!v) return std::nullopt;
    if (!a.name.empty())
      return report(a.location, fmt::format("{} takes its arguments by position", e.text)), std::nullopt;
    if (!std::isfinite(*v))
      return report(a.location, fmt::format("an initialiser needs finite numbers, found {}", *v)),
             std::nullopt;
    x.push_back(*v);
  }
  if (e.text == "zeros" && x.empty()) return graph::Initializer{K::Constant, 0, 0};
  if (e.text == "ones" && x.empty()) return graph::Initializer{K::Constant, 1, 0};
  if (e.text == "constant" && x.size() == 1) return graph::Initializer{K::Constant, x[0], 0};
  if (e.text == "uniform" && x.size() == 1) return graph::Initializer{K::Uniform, -x[0], x[0]};
  if (e.text == "uniform" && x.size() == 2) return graph::Initializer{K::Uniform, x[0], x[1]};
  if (e.text == "normal" && x.size() == 1) return graph::Initializer{K::Normal, 0, x[0]};
  if (e.text == "normal" && x.size() == 2) return graph::Initializer{K::Normal, x[0], x[1]};
  for (const char *known : {"zeros", "ones", "constant", "uniform", "normal"})
    if (e.text == known)
      return report(e.location, fmt::format("wrong number of arguments for {}: found {}", e.text, x.size())),
             std::nullopt;
  std::vector<std::string> names = {"zeros", "ones", "constant", "uniform", "normal"};
  for (const auto &[n, c] : library)
    if (c->kind == Callable::Kind::Init) names.push_back(n);
  const std::string near = nearest(e.text, names);
  report(e.location, fmt::format("unknown initialiser '{}'{}", e.text,
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  return std::nullopt;
}

std::optional<graph::Initializer> Elaborator::userInitializer(const Expr &e, const Callable &c,
                                                              const Extents &shape) {
  mayEnter(e);
  Frame callee;
  callee.callable = &c;
  callee.path = frame->path;
  callee.callSite = e.location;
  callee.caller = frame;
  callee.depth = frame->depth + 1;
  if (!bindArguments(e, c, callee, /*whole=*/true)) return std::nullopt;
  if (const Fans f = fans(shape); f.in > 0) {
    callee.arguments["fan_in"] = Value::ofNumber(f.in);
    callee.arguments["fan_out"] = Value::ofNumber(f.out);
  } else {
    report(e.location,
           fmt::format("{} needs a tensor of at least two dimensions, found {}", c.name, str(shape)));
    return std::nullopt;
  }
  frame = &callee;
  const std::optional<graph::Initializer> init = initializer(*c.value, shape);
  frame = callee.caller;
  return init;
}

std::vector<int> Elaborator::trainedParameters() const {
  const graph::Graph &g = out.graph;
  std::vector<char> needed(g.tensors.size(), 0);
  for (const graph::Result &r : g.results)
    if (r.kind == graph::Result::Kind::Loss) needed[r.tensor] = 1;
  for (auto f = g.formulas.rbegin(); f != g.formulas.rend(); ++f) {
    if (!needed[f->target] || f->origin == "stop_gradient") continue;
    for (const graph::Clause &c : f->clauses)
      for (const graph::Node &n : c.body.nodes)
        if (n.kind == graph::Node::Kind::Read) needed[n.id] = 1;
  }
  std::vector<int> params;
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    if (needed[t] && g.tensors[t].kind == graph::TensorKind::Param) params.push_back(static_cast<int>(t));
  return params;
}

void Elaborator::train(const Statement &s) {
  const Expr &e = *s.value;
  const auto it =
      e.kind == Expr::Kind::Call || e.kind == Expr::Kind::Name ? library.find(e.text) : library.end();
  if (it == library.end() || it->second->kind != Callable::Kind::Optimizer) {
    std::vector<std::string> names;
    for (const auto &[n, c] : library)
      if (c->kind == Callable::Kind::Optimizer) names.push_back(n);
    std::string near = foreignName(e.text);
    if (near.empty()) near = nearest(e.text, names);
    return report(e.location, fmt::format("'train' is followed by an optimizer such as sgd(lr = 0.1){}{}",
                                          e.text.empty() ? "" : fmt::format(", found '{}'", e.text),
                                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  const bool loss = std::any_of(out.graph.results.begin(), out.graph.results.end(),
                                [](const graph::Result &r) { return r.kind == graph::Result::Kind::Loss; });
  if (!loss) {
    if (!diag.hasErrors()) report(s.location, "there is no 'loss' to train with");
    return;
  }
  const Callable &c = *it->second;
  Frame arguments;
  arguments.callable = &c;
  arguments.callSite = e.location;
  arguments.caller = frame;
  arguments.depth = 1;
  if (!bindArguments(e, c, arguments, /*whole=*/true)) return;
  for (auto &[name, v] : arguments.arguments) { // run-time rates are scalars of the graph; lr always is
    if (v.isTensor())
      return report(e.location, fmt::format("argument '{}' of {} is a number or a run-time number, found {}",
                                            name, c.name, describe(v)));
    if (v.kind != Value::Kind::Program && v.kind != Value::Kind::Batch && !(name == "lr" && v.isNumber()))
      continue;
    std::vector<ScalarOp> program;
    append(program, v);
    v = Value::ofLazy(out.scalar(name, program));
  }
  const std::vector<int> params = trainedParameters();
  if (params.empty() && !diag.hasErrors())
    return report(s.location, "the loss depends on no parameter: there is nothing to train");
  for (int p : params)
    if (const int g = declareGradient(p, s.location); g >= 0) gradients.push_back(g);
  for (int g : gradients)
    updateParameter(c, arguments, g);
}

int Elaborator::declareGradient(int parameter, const Location &at) {
  graph::Tensor g;
  g.name = out.graph.tensors[parameter].name + ".grad";
  g.kind = graph::TensorKind::Gradient;
  g.shape = out.graph.tensors[parameter].shape;
  g.of = parameter;
  g.location = at;
  if (out.graph.find(g.name) >= 0)
    return report(at, fmt::format("there is a tensor named '{}' already", g.name)), -1;
  return out.graph.addTensor(std::move(g));
}

/// The length of the gradient of all trained parameters: what one parameter's formulas cannot say.
Value Elaborator::gradientNorm() {
  if (normOfGradients >= 0) return Value::ofLazy(out.read(normOfGradients));
  Lazy total = out.constant(0);
  for (const int g : gradients) {
    const graph::Tensor &t = out.graph.tensors[g];
    Lazy square = out.read(g);
    square.body.root = square.body.call(Fn::Mul, square.body.root, square.body.root);
    GraphWriter::Spec spec;
    spec.op = graph::Combine::Sum;
    for (int d = 0; d < static_cast<int>(t.shape.size()); ++d)
      spec.domain.push_back(d);
    const int sum = out.define(spec, square, {t.name + ".squares", t.location, "gradient_norm"});
    const int node = copyNode(total.body, out.read(sum).body, out.read(sum).body.root);
    total.body.root = g == gradients.front() ? node : total.body.call(Fn::Add, total.body.root, node);
  }
  total.body.root = total.body.call(Fn::Sqrt, total.body.root);
  normOfGradients = out.define({}, total, {"gradient_norm", out.graph.tensors[gradients.front()].location, "gradient_norm"});
  return Value::ofLazy(out.read(normOfGradients));
}

void Elaborator::updateParameter(const Callable &c, const Frame &arguments, int gradient) {
  const int parameter = out.graph.tensors[gradient].of;
  Frame callee = arguments;
  callee.path = out.graph.tensors[parameter].name;
  callee.arguments["w"] = Value::ofLazy(out.read(parameter));
  callee.arguments["g"] = Value::ofLazy(out.read(gradient));
  Frame *const saved = frame;
  frame = &callee;
  inOptimizer = true;
  try {
    runBlock(c.body);
  } catch (const RequirementFailed &) {
    context = nullptr;
  }
  inOptimizer = false;
  const bool updated = std::any_of(out.graph.next.begin(), out.graph.next.end(),
                                   [&](const graph::Next &n) { return n.state == parameter; });
  if (!updated && !diag.hasErrors())
    report(c.location, fmt::format("optimizer '{}' never says 'next w = ...'", c.name));
  frame = saved;
}

} // namespace netc::dsl
