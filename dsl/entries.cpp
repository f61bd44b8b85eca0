#include "dsl/entries.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>

namespace netc::dsl {

namespace {

using graph::Graph;
using graph::Result;
using graph::Tensor;
using graph::TensorKind;

bool sameStore(const Tensor &a, const Tensor &b) {
  return a.kind == b.kind && a.dtype == b.dtype && a.shape == b.shape && a.init == b.init;
}

std::vector<Tensor> sharedTensors(const Graph &g, const std::set<int> &planStates, bool ofPlan) {
  std::vector<Tensor> list;
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    if (g.tensors[t].shared() && planStates.contains(static_cast<int>(t)) == ofPlan) list.push_back(g.tensors[t]);
  return list;
}

/// The store and the inputs, in order of declaration; the states of the plans come last. What several plans keep by one
/// name they keep together.
std::vector<Tensor> sharedTensors(const Graph &model, const std::vector<const TrainingPlan *> &plans, Diagnostics &diag) {
  std::vector<Tensor> list = sharedTensors(model, plans.empty() ? std::set<int>() : plans[0]->states, /*ofPlan=*/false);
  for (const TrainingPlan *plan : plans)
    for (Tensor &t : sharedTensors(plan->graph, plan->states, /*ofPlan=*/true)) {
      const auto same = std::find_if(list.begin(), list.end(), [&](const Tensor &x) { return x.name == t.name; });
      if (same == list.end()) list.push_back(std::move(t));
      else if (!sameStore(*same, t)) {
        diag.error(t.location, fmt::format("'{}' differs between training plans: --plan NAME compiles one of them", t.name));
        diag.note(same->location, "the other one stands here");
      }
    }
  return list;
}

/// Parameters and states must not depend on `training`.
void checkStores(const Graph &inference, const TrainingPlan &plan, Diagnostics &diag) {
  const auto missing = [&](const Graph &from, const Graph &in, std::string_view when) {
    for (std::size_t t = 0; t < from.tensors.size(); ++t) {
      const Tensor &tensor = from.tensors[t];
      if (!tensor.inStore() || (&from == &plan.graph && plan.states.contains(static_cast<int>(t)))) continue;
      const int other = in.find(tensor.name);
      if (other < 0)
        diag.error(tensor.location,
                   fmt::format("'{}' exists only {} training: declare it in both cases", tensor.name, when));
      else if (when == "without" && !sameStore(tensor, in.tensors[other])) // once, not from both sides
        diag.error(tensor.location, fmt::format("'{}' differs with and without training", tensor.name));
    }
  };
  missing(inference, plan.graph, "without");
  missing(plan.graph, inference, "with");
}

class Extraction {
 public:
  Extraction(const Graph &from, const std::vector<Tensor> &shared)
      : from(from), moved(from.tensors.size(), -1) {
    to.batch = from.batch;
    to.tensors = shared;
  }

  void need(int tensor) { needed.insert(tensor); }

  Graph run(const std::string &name, const std::function<bool(Result::Kind)> &keep,
            const std::vector<graph::Next> &updates = {}) {
    to.name = name;
    for (const Result &r : from.results)
      if (keep(r.kind)) need(r.tensor);
    for (const graph::Next &n : updates)
      need(n.value), need(n.state);
    for (auto f = from.formulas.rbegin(); f != from.formulas.rend(); ++f)
      if (needed.contains(f->target)) reach(*f);
    for (const int t : needed)
      place(t);
    for (const graph::Formula &f : from.formulas)
      if (needed.contains(f.target)) to.formulas.push_back(renumbered(f));
    for (const Result &r : from.results)
      if (keep(r.kind)) to.results.push_back({r.kind, r.name, moved[r.tensor]});
    for (const graph::Next &n : updates)
      to.next.push_back({moved[n.state], moved[n.value]});
    for (Tensor &t : to.tensors)
      if (t.kind == TensorKind::Gradient) t.of = moved[t.of];
    return std::move(to);
  }

 private:
  void reach(const graph::Formula &f) {
    for (const graph::Clause &c : f.clauses)
      for (const graph::Node &n : c.body.nodes)
        if (n.kind == graph::Node::Kind::Read) {
          need(n.id);
          if (from.tensors[n.id].kind == TensorKind::Gradient) need(from.tensors[n.id].of);
        }
  }

  void place(int t) {
    const Tensor &tensor = from.tensors[t];
    moved[t] = tensor.shared() ? to.find(tensor.name) : to.addTensor(tensor);
  }

  graph::Formula renumbered(graph::Formula f) {
    f.target = moved[f.target];
    for (graph::Clause &c : f.clauses)
      for (graph::Node &n : c.body.nodes) {
        if (n.kind == graph::Node::Kind::Read) n.id = moved[n.id];
        if (n.kind != graph::Node::Kind::Scalar) continue;
        const RuntimeScalar &s = from.scalars[n.id];
        n.id = to.addScalar(s.name, s.program);
      }
    return f;
  }

  const Graph &from;
  Graph to;
  std::set<int> needed;
  std::vector<int> moved;
};

/// What the outputs need must not include a target: predict does not get it.
void checkOutputs(const Graph &predict, Diagnostics &diag) {
  for (const graph::Formula &f : predict.formulas)
    for (const graph::Clause &c : f.clauses)
      for (const graph::Node &n : c.body.nodes)
        if (n.kind == graph::Node::Kind::Read && predict.tensors[n.id].kind == TensorKind::Target) {
          diag.error(f.location,
                     fmt::format("an output depends on the target '{}', which predict does not know",
                                 predict.tensors[n.id].name));
          return;
        }
}

/// trainStep; or apply and accumulate.
void addTraining(const TrainingPlan &plan, const std::vector<Tensor> &shared, graph::Module &m) {
  const auto loss = [](Result::Kind k) { return k == Result::Kind::Loss; };
  const auto nothing = [](Result::Kind) { return false; };
  const std::string of = plan.name.empty() ? "" : plan.name + ".", step = plan.every ? "accumulate" : "trainStep";
  if (plan.every) m.entries.push_back(Extraction(plan.graph, shared).run(of + "apply", nothing, plan.applied));
  m.entries.push_back(Extraction(plan.graph, shared).run(of + step, loss, plan.graph.next));
  m.entries.back().every = plan.every;
  m.entries.back().plan = plan.text;
}

} // namespace

std::optional<graph::Module> makeEntries(const Elaborated &inference, const std::vector<const TrainingPlan *> &plans,
                                         std::int64_t batch, Diagnostics &diag) {
  if (!plans.empty()) checkStores(inference.graph, *plans[0], diag);
  const std::vector<Tensor> shared = sharedTensors(plans.empty() ? inference.graph : plans[0]->graph, plans, diag);
  if (diag.hasErrors()) return std::nullopt;
  graph::Module m;
  m.name = inference.model.empty() ? "model" : inference.model;
  m.batch = batch;
  const auto has = [&](Result::Kind k) {
    return std::any_of(inference.graph.results.begin(), inference.graph.results.end(),
                       [&](const Result &r) { return r.kind == k; });
  };
  const auto output = [](Result::Kind k) { return k == Result::Kind::Output; };
  const auto measure = [](Result::Kind k) { return k != Result::Kind::Output; };
  if (has(Result::Kind::Output)) {
    m.entries.push_back(Extraction(inference.graph, shared).run("predict", output));
    checkOutputs(m.entries.back(), diag);
  }
  if (has(Result::Kind::Loss) || has(Result::Kind::Metric))
    m.entries.push_back(Extraction(inference.graph, shared).run("evaluate", measure));
  if (has(Result::Kind::Loss))
    for (const TrainingPlan *plan : plans) addTraining(*plan, shared, m);
  return diag.hasErrors() ? std::nullopt : std::optional(std::move(m));
}

} // namespace netc::dsl
