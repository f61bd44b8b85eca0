// Training plans: which optimizer trains which parameters, and its formulas for each of them.
#include "dsl/elaborator.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace netc::dsl {

namespace {

/// `*` stands for any characters, also none and also dots.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos) { // the last star takes one character more
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

} // namespace

void Elaborator::addPlan(const Statement &s) {
  if (s.name.find('.') != std::string::npos) report(s.nameLocation, "the name of a plan has no dots");
  if (s.name == "train" || s.name == "set") // as the functions that each generated trainer has
    report(s.nameLocation, fmt::format("a plan cannot be named '{0}': a trainer's {0}Step is something else", s.name));
  for (const Statement *other : planStatements) {
    if (other->name != s.name) continue;
    report(s.name.empty() ? s.location : s.nameLocation,
           s.name.empty()
               ? "a second training plan without a name: write train NAME: ..., for --plan NAME to choose it"
               : fmt::format("there is a training plan '{}' already", s.name));
    return note(other->location, "the first one stands here");
  }
  planStatements.push_back(&s);
}

/// Each plan gets a graph of its own: the model's with this plan's formulas.
void Elaborator::elaboratePlans() {
  const GraphWriter modelOnly = out;
  for (const Statement *s : planStatements) {
    plan = TrainingPlan();
    plan.name = s->name;
    plan.text = s->text;
    normOfGradients = -1;
    train(*s);
    plan.graph = std::move(out.graph);
    out = modelOnly;
    result.plans.push_back(std::move(plan));
  }
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
  const bool loss = std::any_of(out.graph.results.begin(), out.graph.results.end(),
                                [](const graph::Result &r) { return r.kind == graph::Result::Kind::Loss; });
  std::vector<BoundPart> parts;
  for (const PlanPart &p : s.parts)
    if (std::optional<BoundPart> bound = bindPart(p)) parts.push_back(std::move(*bound));
  if (parts.size() < s.parts.size()) return;
  if (!loss) {
    if (!diag.hasErrors()) report(s.location, "there is no 'loss' to train with");
    return;
  }
  const std::vector<int> params = trainedParameters();
  if (params.empty() && !diag.hasErrors())
    return report(s.location, "the loss depends on no parameter: there is nothing to train");
  const std::vector<int> partOf = assignParts(s, params);
  plan.every = every(s);
  std::vector<std::pair<int, const BoundPart *>> trained; // by gradient: the parameter and its part
  std::vector<graph::Next> sums;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (partOf[i] < 0) continue;
    int g = declareGradient(params[i], s.location);
    if (g >= 0 && plan.every) g = accumulated(params[i], g, sums);
    if (g < 0) return;
    plan.gradients.push_back(g);
    trained.emplace_back(params[i], &parts[static_cast<std::size_t>(partOf[i])]);
  }
  const std::size_t modelNexts = out.graph.next.size();
  for (std::size_t i = 0; i < trained.size(); ++i)
    updateParameter(*trained[i].second, trained[i].first, plan.gradients[i]);
  if (plan.every) separateUpdates(modelNexts, sums);
}

std::int64_t Elaborator::every(const Statement &s) {
  if (!s.value) return 0;
  if (s.value->kind == Expr::Kind::Name && s.value->text == "epoch") return graph::everyEpoch;
  const std::optional<std::int64_t> n = integer(*s.value, "the number of samples after 'every'");
  if (!n) return 0;
  if (*n < 1)
    report(startOf(*s.value),
           fmt::format("'every' takes a number of samples, at least 1, or epoch; found {}", *n));
  return *n;
}

/// The gradient of a window of samples: each call adds N times its own to a state. Gives what the optimizer
/// reads, the sum over the number of all the samples, which is the N of the update.
int Elaborator::accumulated(int parameter, int gradient, std::vector<graph::Next> &sums) {
  const graph::Tensor w = out.graph.tensors[parameter];
  const Location at = out.graph.tensors[gradient].location;
  graph::Tensor total;
  total.name = w.name + ".total";
  total.kind = graph::TensorKind::State;
  total.shape = w.shape;
  const int sum = declareShared(std::move(total), at);
  if (sum < 0) return -1;
  plan.states.insert(sum);
  const Lazy samples = out.scalar("count", {{ScalarOp::Count}});
  const Value weighted = applyLazy(Fn::Mul, {samples, out.read(gradient)}, at);
  const Value next = applyLazy(Fn::Add, {out.read(sum), weighted.lazy}, at);
  sums.push_back({sum, out.materialize(next.lazy, {w.name + ".total.next", at, "accumulate"})});
  const Value mean = applyLazy(Fn::Div, {out.read(sum), samples}, at);
  return out.materialize(mean.lazy, {w.name + ".mean", at, "mean gradient"});
}

/// Two entries: one adds to the sums, the other makes the update and empties them.
void Elaborator::separateUpdates(std::size_t modelNexts, const std::vector<graph::Next> &sums) {
  std::vector<graph::Next> &next = out.graph.next;
  const auto optimizers = next.begin() + static_cast<std::ptrdiff_t>(modelNexts);
  plan.applied.assign(optimizers, next.end());
  next.erase(optimizers, next.end());
  next.insert(next.end(), sums.begin(), sums.end());
  for (const graph::Next &n : sums) {
    const graph::Tensor &total = out.graph.tensors[n.state];
    Lazy zero = out.constant(0);
    zero.shape = total.shape;
    plan.applied.push_back({n.state, out.materialize(zero, {total.name + ".zero", total.location, "apply"})});
  }
}

/// The optimizers that the plans name and their arguments.
void Elaborator::checkPlans() {
  for (const Statement *s : planStatements)
    for (const PlanPart &p : s->parts)
      bindPart(p);
}

/// The optimizer of a part and its arguments; run-time rates become scalars of the graph.
std::optional<Elaborator::BoundPart> Elaborator::bindPart(const PlanPart &p) {
  const Expr &e = *p.optimizer;
  const bool named = e.kind == Expr::Kind::Call || e.kind == Expr::Kind::Name;
  const auto it = named ? library.find(e.text) : library.end();
  if (it == library.end() || it->second->kind != Callable::Kind::Optimizer) {
    std::vector<std::string> names;
    for (const auto &[n, c] : library)
      if (c->kind == Callable::Kind::Optimizer) names.push_back(n);
    std::string near = foreignName(e.text);
    if (near.empty()) near = nearest(e.text, names);
    report(e.location, fmt::format("'train' is followed by an optimizer such as sgd(lr = 0.1){}{}",
                                   e.text.empty() ? "" : fmt::format(", found '{}'", e.text),
                                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    return std::nullopt;
  }
  BoundPart part;
  part.optimizer = it->second;
  part.arguments.callable = it->second;
  part.arguments.callSite = e.location;
  part.arguments.caller = frame;
  part.arguments.depth = 1;
  if (!bindArguments(e, *it->second, part.arguments, /*whole=*/true)) return std::nullopt;
  for (auto &[name, v] : part.arguments.arguments) { // lr always is a scalar: it can be overridden
    if (v.isTensor()) {
      report(e.location, fmt::format("argument '{}' of {} is a number or a run-time number, found {}", name,
                                     it->second->name, describe(v)));
      return std::nullopt;
    }
    if (v.kind != Value::Kind::Program && v.kind != Value::Kind::Batch && !(name == "lr" && v.isNumber()))
      continue;
    std::vector<ScalarOp> program;
    append(program, v);
    v = Value::ofLazy(out.scalar(name, program));
  }
  return part;
}

/// By parameter the part that trains it: the first one with a pattern for it; -1: none does, it is frozen.
std::vector<int> Elaborator::assignParts(const Statement &s, const std::vector<int> &params) {
  std::vector<int> partOf(params.size(), -1);
  for (std::size_t k = 0; k < s.parts.size(); ++k) {
    const PlanPart &part = s.parts[k];
    static const std::vector<Pattern> everything(1, {"*", {}});
    bool trains = false;
    for (const Pattern &p : part.patterns.empty() ? everything : part.patterns) {
      bool known = false;
      for (std::size_t i = 0; i < params.size(); ++i) {
        if (!matches(p.text, out.graph.tensors[params[i]].name)) continue;
        known = true;
        if (partOf[i] >= 0 && partOf[i] != static_cast<int>(k)) continue;
        partOf[i] = static_cast<int>(k);
        trains = true;
      }
      if (!known) {
        reportPattern(p);
        trains = true; // one message is enough
      }
    }
    if (!trains)
      report(startOf(*part.optimizer),
             "the parts before it train all the parameters of this one: the first match wins");
  }
  return partOf;
}

void Elaborator::reportPattern(const Pattern &p) {
  std::vector<std::string> names, known;
  for (const graph::Tensor &t : out.graph.tensors)
    if (t.kind == graph::TensorKind::Param) names.push_back(t.name);
  for (const std::string &n : names)
    if (matches(p.text, n))
      return report(p.location, fmt::format("the loss does not depend on '{}', so it cannot be trained", n));
  for (const std::string &n : names) {
    known.push_back(n);
    for (std::size_t dot = n.find('.'); dot != std::string::npos; dot = n.find('.', dot + 1)) {
      known.push_back(n.substr(0, dot) + ".*");
      known.push_back("*" + n.substr(dot));
    }
  }
  const bool layer = std::find(known.begin(), known.end(), p.text + ".*") != known.end();
  const std::string near = layer ? p.text + ".*" : nearest(p.text, known);
  report(p.location, fmt::format("no parameter is named '{}'{}", p.text,
                                 near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  if (!near.empty()) return;
  constexpr std::size_t most = 12;
  const std::string more = names.size() > most ? fmt::format(" and {} more", names.size() - most) : "";
  names.resize(std::min(names.size(), most));
  note(p.location, fmt::format("the parameters are {}{}", fmt::join(names, ", "), more));
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
  for (const int g : plan.gradients) {
    const graph::Tensor &t = out.graph.tensors[g];
    Lazy square = out.read(g);
    square.body.root = square.body.call(Fn::Mul, square.body.root, square.body.root);
    GraphWriter::Spec spec;
    spec.op = graph::Combine::Sum;
    for (int d = 0; d < static_cast<int>(t.shape.size()); ++d)
      spec.domain.push_back(d);
    const int sum = out.define(spec, square, {t.name + ".squares", t.location, "gradient_norm"});
    const int node = copyNode(total.body, out.read(sum).body, out.read(sum).body.root);
    total.body.root = g == plan.gradients.front() ? node : total.body.call(Fn::Add, total.body.root, node);
  }
  total.body.root = total.body.call(Fn::Sqrt, total.body.root);
  const Location &at = out.graph.tensors[plan.gradients.front()].location;
  normOfGradients = out.define({}, total, {"gradient_norm", at, "gradient_norm"});
  return Value::ofLazy(out.read(normOfGradients));
}

void Elaborator::updateParameter(const BoundPart &part, int parameter, int gradient) {
  Frame callee = part.arguments;
  callee.path = out.graph.tensors[parameter].name;
  callee.arguments["w"] = Value::ofLazy(out.read(parameter));
  callee.arguments["g"] = Value::ofLazy(out.read(gradient));
  Frame *const saved = frame;
  frame = &callee;
  inOptimizer = true;
  try {
    runBlock(part.optimizer->body);
  } catch (const RequirementFailed &) {
    context = nullptr;
  }
  inOptimizer = false;
  const bool updated = std::any_of(out.graph.next.begin(), out.graph.next.end(),
                                   [&](const graph::Next &n) { return n.state == parameter; });
  if (!updated && !diag.hasErrors())
    report(part.optimizer->location,
           fmt::format("optimizer '{}' never says 'next w = ...'", part.optimizer->name));
  frame = saved;
}

} // namespace netc::dsl
