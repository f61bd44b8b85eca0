#include "compiler/schedule/plan_parts.h"

#include <algorithm>

namespace netc::schedule {

using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::TensorKind;

namespace {

/// A state may be overwritten where its next value is computed when that formula reads it only element by
/// element.
bool readsInStep(const Graph &g, const Formula &f, int state) {
  if (!reads(f, state)) return true;
  if (f.op != graph::Combine::Assign || f.clauses.size() != 1 || !plainOut(g, f, f.clauses[0])) return false;
  for (const Node &n : f.clauses[0].body.nodes)
    if (n.kind == Node::Kind::Read && n.id == state && n.map != f.clauses[0].out) return false;
  return true;
}

/// Some formula other than a pointwise one reads this batch of rows.
bool wantsCopy(const Graph &g, int input) {
  const Tensor &t = g.tensors[input];
  const bool batch =
      std::any_of(t.shape.begin(), t.shape.end(), [](const graph::Extent &e) { return e.batch; });
  if (!batch || t.shape.size() < 2) return false;
  return std::any_of(g.formulas.begin(), g.formulas.end(),
                     [&](const Formula &f) { return f.op != graph::Combine::Assign && reads(f, input); });
}

/// The caller's rows lie sample after sample, while sums want 16 samples side by side: they read a copy.
void copyInputs(Graph &g) {
  for (int t = 0, n = static_cast<int>(g.tensors.size()); t < n; ++t) {
    if ((g.tensors[t].kind != TensorKind::Input && g.tensors[t].kind != TensorKind::Target) ||
        !wantsCopy(g, t))
      continue;
    const int copied = addCopy(g, g.tensors[t].name + ".copy", t);
    for (std::size_t f = 0; f + 1 < g.formulas.size(); ++f)
      for (graph::Clause &c : g.formulas[f].clauses)
        for (Node &node : c.body.nodes)
          if (node.kind == Node::Kind::Read && node.id == t) node.id = copied;
    std::rotate(g.formulas.begin(), g.formulas.end() - 1, g.formulas.end()); // before its readers
  }
}

} // namespace

int addCopy(Graph &g, const std::string &name, int tensor) {
  Tensor t = g.tensors[tensor];
  t.name = name;
  t.kind = TensorKind::Local;
  if (t.dtype == DType::U8) t.dtype = DType::I32;
  t.values.clear();
  Formula f;
  f.target = g.addTensor(t);
  f.origin = "copy";
  f.location = t.location;
  graph::Clause c;
  for (std::size_t d = 0; d < t.shape.size(); ++d) {
    c.domain.push_back({"i" + std::to_string(d), t.shape[d]});
    c.out.push_back(Affine::var(static_cast<int>(d)));
  }
  c.body.root = c.body.read(tensor, g.tensors[tensor].dtype, c.out);
  f.clauses.push_back(std::move(c));
  g.formulas.push_back(std::move(f));
  return g.formulas.back().target;
}

void prepare(Graph &g, bool winograd4) {
  // Results leave through formulas of their own, written straight to the caller's memory: what else reads such a
  // tensor finds it in the layout that suits it. What follows judges by layouts.
  for (graph::Result &r : g.results)
    r.tensor = addCopy(g, "output." + r.name, r.tensor);
  copyInputs(g);
  unpad(g);
  winograd(g, winograd4);
  sumSamples(g);
  packWeights(g);
  rowsOfSamples(g);
  copyGathered(g);
  std::vector<std::vector<int>> readersOf = graph::readers(g);
  std::vector<int> nexts(g.tensors.size(), 0); // by tensor: of how many states it is the next value
  for (const graph::Next &n : g.next)
    ++nexts[n.value];
  for (graph::Next &n : g.next) {
    const Formula *made = g.definition(n.value);
    const auto isNext = [&](int reader) { return nexts[g.formulas[reader].target] > 0; };
    const auto needsOld = [&](int reader) { return &g.formulas[reader] > made && isNext(reader); };
    const std::vector<int> &ofState = readersOf[n.state], &ofValue = readersOf[n.value];
    // A formula behind it that still needs the old value, or one that needs the new value before the commit, stands in the way.
    const bool ok = made && nexts[n.value] == 1 && coversAll(g, *made) && readsInStep(g, *made, n.state) &&
                    std::none_of(ofState.begin(), ofState.end(), needsOld) && std::all_of(ofValue.begin(), ofValue.end(), isNext);
    if (ok) continue;
    --nexts[n.value];
    readersOf[n.value].push_back(static_cast<int>(g.formulas.size())); // the copy
    n.value = addCopy(g, g.tensors[n.state].name + ".commit", n.value);
    nexts.push_back(1);
    readersOf.emplace_back();
  }
  // A copy of a state that is overwritten before it (two states that swap) goes through a temporary.
  for (std::size_t i = 0; i < g.next.size(); ++i) {
    Formula *f = g.definition(g.next[i].value);
    for (std::size_t j = 0; j < g.next.size(); ++j) {
      if (i == j || !reads(*f, g.next[j].state)) continue;
      const Formula *other = g.definition(g.next[j].value);
      if (other < f && f->origin == "copy") {
        const int saved = addCopy(g, g.tensors[g.next[j].state].name + ".old", g.next[j].state);
        f = g.definition(g.next[i].value);
        graph::Body body;
        body.root =
            body.copy(f->clauses[0].body, f->clauses[0].body.root);
        for (Node &n : body.nodes)
          if (n.kind == Node::Kind::Read && n.id == g.next[j].state) n.id = saved;
        f->clauses[0].body = body;
        std::rotate(g.formulas.begin(), g.formulas.end() - 1,
                    g.formulas.end()); // reads only the store: may stand first
      }
    }
  }
}

} // namespace netc::schedule
