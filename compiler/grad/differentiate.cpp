#include "compiler/grad/differentiate.h"

#include "compiler/grad/contributions.h"
#include "compiler/grad/dependence.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace netc::grad {

using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Result;
using graph::Tensor;
using graph::TensorKind;

std::string_view standardDerivative(Fn f, int argument) {
  return row(f).derivative[argument];
}

namespace {

class ReversePass {
 public:
  ReversePass(Graph &graph, Diagnostics &diagnostics, const DerivativeTable &table)
      : g(graph), diag(diagnostics), table(table) {}

  bool run() {
    if (!findPlaceholders()) return false;
    if (!splitFormulas()) return false;
    needed = gradientPath(g, forward, [&](int t) { return placeholders.count(t) > 0; });
    gradient.assign(g.tensors.size(), -1);
    findFirstReaders();
    seedLosses();
    for (std::size_t i = forward.size(); i-- > 0;) {
      visit(i);
      for (int t : firstReadBy[i])
        finish(t);
    }
    for (auto &[of, list] : placeholders)
      if (gradient[of] < 0) defineZero(list.front(), of);
    copyDuplicates();
    assemble();
    return !diag.hasErrors();
  }

 private:
  bool findPlaceholders() {
    bool good = true;
    for (std::size_t t = 0; t < g.tensors.size(); ++t) {
      const Tensor &x = g.tensors[t];
      if (x.kind != TensorKind::Gradient) continue;
      placeholders[x.of].push_back(static_cast<int>(t));
      if (g.tensors[x.of].dtype == DType::F32) continue;
      diag.error(placeOf(x),
                 fmt::format("'{}' asks for the gradient of '{}', which is {}; only f32 tensors have one",
                             x.name, g.tensors[x.of].name, name(g.tensors[x.of].dtype)));
      good = false;
    }
    return good;
  }

  /// `forward` takes what no gradient flows into, `after` the rest (the optimizer).
  bool splitFormulas() {
    const std::vector<char> late = dependsOnGradient(g);
    for (Formula &f : g.formulas)
      (late[f.target] ? after : forward).push_back(std::move(f));
    g.formulas.clear();
    for (const Result &r : g.results) {
      if (r.kind != Result::Kind::Loss || !late[r.tensor]) continue;
      diag.error(placeOf(g.tensors[r.tensor]),
                 fmt::format("the loss '{}' depends on a gradient, which cannot be differentiated", r.name));
      return false;
    }
    return true;
  }

  /// Locals stand before parameters, so that a bias gradient can sum up the gradient next to it (pass cse).
  void findFirstReaders() {
    firstReadBy.resize(forward.size());
    std::vector<char> seen(g.tensors.size(), 0);
    for (std::size_t i = 0; i < forward.size(); ++i) {
      if (!needed[forward[i].target]) continue;
      for (int t : readTensors(forward[i]))
        if (needed[t] && !seen[t]) {
          seen[t] = 1;
          firstReadBy[i].push_back(t);
        }
      std::stable_partition(firstReadBy[i].begin(), firstReadBy[i].end(),
                            [&](int t) { return g.tensors[t].kind == TensorKind::Local; });
    }
    for (const Result &r : g.results)
      if (r.kind == Result::Kind::Loss && !seen[r.tensor]) unread.push_back(r.tensor);
  }

  void seedLosses() {
    for (const Result &r : g.results) {
      if (r.kind != Result::Kind::Loss || !needed[r.tensor]) continue;
      Formula one;
      one.clauses.push_back(wholeTensor(r.tensor));
      one.clauses[0].body.root = one.clauses[0].body.constant(1);
      one.location = g.tensors[r.tensor].location;
      one.origin = fmt::format("the gradient of the loss {} for itself", r.name);
      pending[r.tensor].push_back(std::move(one));
    }
    for (int t : unread)
      if (gradient[t] < 0) finish(t);
  }

  void visit(std::size_t i) {
    const Formula &f = forward[i];
    if (!needed[f.target] || gradient[f.target] < 0 || stopsGradient(g, f)) return;
    const auto wants = [this](int t) { return needed[t] != 0; };
    const FormulaProblem problem{g, f, gradient[f.target], wants, table, diag};
    for (Contribution &c : contributions(problem, siblings[i]))
      pending[c.tensor].push_back(std::move(c.formula));
    needed.resize(g.tensors.size(), 0); // siblings have no gradient
    gradient.resize(g.tensors.size(), -1);
  }

  /// All readers of t are done: its contributions become its gradient.
  void finish(int t) {
    auto found = pending.find(t);
    if (found == pending.end()) return;
    std::vector<Formula> parts = std::move(found->second);
    pending.erase(found);
    if (parts.size() == 1) {
      define(gradientTensor(t), std::move(parts[0]));
      return;
    }
    Formula total;
    total.clauses.push_back(wholeTensor(t));
    total.location = g.tensors[t].location;
    total.origin = fmt::format("gradient for {}, the sum over its uses", g.tensors[t].name);
    graph::Body &body = total.clauses[0].body;
    const std::vector<Affine> here = total.clauses[0].out;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const int part = newLocal(t, fmt::format(".grad.{}", k + 1));
      define(part, std::move(parts[k]));
      const int read = body.read(part, DType::F32, here);
      body.root = k == 0 ? read : body.call(Fn::Add, body.root, read);
    }
    define(gradientTensor(t), std::move(total));
  }

  int newLocal(int of, const std::string &suffix) {
    Tensor x;
    x.name = g.tensors[of].name + suffix;
    x.shape = g.tensors[of].shape;
    x.location = g.tensors[of].location;
    const int t = g.addTensor(std::move(x));
    needed.resize(g.tensors.size(), 0);
    gradient.resize(g.tensors.size(), -1);
    return t;
  }

  /// The tensor that holds the gradient of t: its placeholder, now a Local, if it has one.
  int gradientTensor(int t) {
    auto found = placeholders.find(t);
    const int result = found == placeholders.end() ? newLocal(t, ".grad") : found->second.front();
    toLocal(result);
    return gradient[t] = result;
  }

  void toLocal(int t) {
    g.tensors[t].kind = TensorKind::Local;
    g.tensors[t].of = -1;
  }

  void define(int target, Formula f) {
    f.target = target;
    backward.push_back(std::move(f));
  }

  void defineZero(int placeholder, int of) {
    Formula zero;
    zero.clauses.push_back(wholeTensor(of));
    zero.clauses[0].body.root = zero.clauses[0].body.constant(0);
    zero.location = g.tensors[placeholder].location;
    zero.origin = fmt::format("the loss does not depend on {}", g.tensors[of].name);
    toLocal(placeholder);
    gradient[of] = placeholder;
    define(placeholder, std::move(zero));
  }

  void copyDuplicates() {
    for (auto &[of, list] : placeholders)
      for (std::size_t k = 1; k < list.size(); ++k) {
        Formula copy;
        copy.clauses.push_back(wholeTensor(of));
        Clause &c = copy.clauses[0];
        c.body.root = c.body.read(gradient[of], DType::F32, c.out);
        copy.location = g.tensors[list[k]].location;
        copy.origin = "gradient asked for twice";
        toLocal(list[k]);
        define(list[k], std::move(copy));
      }
  }

  /// A clause without body that visits each element of t once; indices are named as where t is defined.
  Clause wholeTensor(int t) const {
    static constexpr std::string_view names = "ijklmpqrs";
    const std::vector<graph::Extent> &shape = g.tensors[t].shape;
    std::vector<std::string> given(shape.size());
    for (const Formula &f : forward)
      if (f.target == t)
        for (std::size_t d = 0; d < shape.size(); ++d)
          if (int v; f.clauses[0].out[d].isVar(&v)) given[d] = f.clauses[0].domain[v].name;
    Clause c;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      std::string name = given[d];
      if (name.empty()) name = shape[d].batch ? "n" : d < names.size() ? std::string(1, names[d]) : "i";
      auto taken = [&](const graph::Index &i) { return i.name == name; };
      while (std::any_of(c.domain.begin(), c.domain.end(), taken))
        name += "_";
      c.domain.push_back({name, shape[d]});
      c.out.push_back(Affine::var(static_cast<int>(d)));
    }
    return c;
  }

  void assemble() {
    for (std::size_t i = 0; i < forward.size(); ++i) {
      g.formulas.push_back(std::move(forward[i]));
      for (Formula &s : siblings[i])
        g.formulas.push_back(std::move(s));
    }
    for (auto *part : {&backward, &after})
      for (Formula &f : *part)
        g.formulas.push_back(std::move(f));
    for (Formula &f : g.formulas)
      if (f.origin == stopOrigin) f.origin = stoppedOrigin;
  }

  Graph &g;
  Diagnostics &diag;
  const DerivativeTable &table;
  std::map<int, std::vector<int>> placeholders; // tensor -> its placeholders
  std::vector<Formula> forward, after, backward;
  std::map<std::size_t, std::vector<Formula>> siblings; // by forward formula
  std::vector<char> needed;                             // by tensor: lies between a wanted tensor and a loss
  std::vector<int> gradient;                            // by tensor: the tensor of its gradient, -1 none yet
  std::map<int, std::vector<Formula>> pending;          // contributions, by tensor
  std::vector<std::vector<int>> firstReadBy; // by forward formula: tensors that no earlier one reads
  std::vector<int> unread;                   // losses that no formula reads
};

} // namespace

bool differentiate(Graph &graph, Diagnostics &diag, const DerivativeTable &table) {
  const bool good = ReversePass(graph, diag, table).run();
  dropGivenDerivatives(graph);
  return good;
}

void dropGivenDerivatives(Graph &graph) {
  const auto isGiven = [](const graph::Node &n) { return n.kind == graph::Node::Kind::Call && n.fn == Fn::Given; };
  for (Formula &f : graph.formulas)
    for (Clause &c : f.clauses) {
      if (std::none_of(c.body.nodes.begin(), c.body.nodes.end(), isGiven)) continue;
      graph::Body without;
      std::function<int(int)> replace = [&](int n) {
        return isGiven(c.body.nodes[n]) ? without.copy(c.body, c.body.nodes[n].args[0], {}, replace) : -1;
      };
      without.root = without.copy(c.body, c.body.root, {}, replace);
      c.body = std::move(without);
    }
}

void askForGradients(Graph &g) {
  std::vector<char> asked(g.tensors.size(), 0);
  for (const Tensor &t : g.tensors)
    if (t.kind == TensorKind::Gradient) asked[t.of] = 1;
  for (std::size_t t = 0; t < asked.size(); ++t) {
    if (g.tensors[t].kind != TensorKind::Param || asked[t]) continue;
    Tensor placeholder;
    placeholder.name = g.tensors[t].name + ".grad";
    placeholder.shape = g.tensors[t].shape;
    placeholder.kind = TensorKind::Gradient;
    placeholder.of = static_cast<int>(t);
    g.addTensor(std::move(placeholder));
  }
}

} // namespace netc::grad
