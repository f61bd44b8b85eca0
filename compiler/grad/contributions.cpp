#include "compiler/grad/contributions.h"

#include "compiler/grad/body_derivative.h"
#include "compiler/graph/ranges.h"

#include <fmt/format.h>

#include <algorithm>

namespace netc::grad {

using graph::Body;
using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Tensor;

namespace {

class FormulaGradient {
 public:
  FormulaGradient(const FormulaProblem &problem, std::vector<Formula> &siblings)
      : given(problem), f(problem.formula), siblings(siblings) {}

  std::vector<Contribution> run() {
    for (const Clause &c : f.clauses)
      clause(c);
    return std::move(found);
  }

 private:
  const Tensor &target() const { return given.graph.tensors[f.target]; }

  void clause(const Clause &c) {
    bool reads = false;
    for (const graph::Node &n : c.body.nodes)
      reads |= n.kind == graph::Node::Kind::Read && n.dtype == DType::F32 && given.wants(n.id);
    if (!reads) return;
    switch (f.op) {
    case Combine::Assign:
      return accumulate(c, plainSeed(c), graph::Node(resultRead(c)));
    case Combine::Sum:
      return accumulate(c, plainSeed(c));
    case Combine::Max:
    case Combine::Min:
      return extremum(c);
    case Combine::Prod:
      return product(c);
    case Combine::ArgMax:
    case Combine::ArgMin:
      return; // an ordinal has no gradient
    }
  }

  graph::Node resultRead(const Clause &c) const {
    graph::Node n;
    n.kind = graph::Node::Kind::Read;
    n.id = f.target;
    n.map = c.out;
    return n;
  }

  std::function<int(Body &)> plainSeed(const Clause &c) const {
    return [this, &c](Body &b) { return b.read(given.resultGradient, DType::F32, c.out); };
  }

  void accumulate(const Clause &c, const std::function<int(Body &)> &seed,
                  const std::optional<graph::Node> &ownResult = {},
                  const std::function<void(Body &)> &wrap = {}) {
    const BodyProblem problem{c.body, given.wants, seed, ownResult, given.table};
    auto missing = [&](Fn fn, int argument) {
      given.diagnostics.error(graph::placeOf(f), fmt::format("no derivative of '{}' for argument {}, needed for the "
                                                      "gradient of '{}'",
                                                      row(fn).name, argument + 1, target().name));
    };
    for (Partial &p : differentiateBody(problem, missing)) {
      if (wrap) wrap(p.body);
      Formula g;
      g.op = Combine::Sum;
      g.location = f.location;
      g.origin = fmt::format("gradient of {} for {}, rule {}", target().name,
                             given.graph.tensors[p.read.id].name, name(f.op));
      g.clauses.push_back({c.domain, c.guards, p.read.map, std::move(p.body)});
      found.push_back({p.read.id, std::move(g)});
    }
  }

  /// A sibling of the forward formula: it shares location and the given clauses.
  int addSibling(std::string_view suffix, DType type, std::vector<graph::Extent> shape, Formula s) {
    Tensor t;
    t.name = fmt::format("{}.{}", target().name, suffix);
    t.dtype = type;
    t.shape = std::move(shape);
    t.location = target().location;
    s.target = given.graph.addTensor(std::move(t));
    s.location = f.location;
    s.origin = fmt::format("{} of {}", suffix, target().name);
    siblings.push_back(std::move(s));
    return siblings.back().target;
  }

  /// max and min: all goes to the first winner, which an argmax over the same points names.
  void extremum(const Clause &c) {
    Formula arg;
    arg.op = f.op == Combine::Max ? Combine::ArgMax : Combine::ArgMin;
    arg.accumulator = f.accumulator;
    arg.clauses = {c};
    if (f.clauses.size() > 1 || f.otherwise) arg.otherwise = -1; // elements of no point of this clause
    const int winner = addSibling(name(arg.op), DType::I32, target().shape, std::move(arg));
    accumulate(c, plainSeed(c), {}, [&](Body &b) {
      const int wins = b.call(Fn::Eq, b.read(winner, DType::I32, c.out), b.index(graph::ordinal(c)));
      b.root = b.call(Fn::Select, wins, b.root, b.constant(0));
    });
  }

  /// prod: the product of the points before this one times the product of those after it, so zeros are exact.
  void product(const Clause &c) {
    const int before = otherPoints(c, "before", 1);
    const int after = otherPoints(c, "after", -1);
    accumulate(c, [&](Body &b) {
      std::vector<Affine> here;
      for (std::size_t p = 0; p < c.domain.size(); ++p)
        here.push_back(Affine::var(static_cast<int>(p)));
      const int others = b.call(Fn::Mul, b.read(before, DType::F32, here), b.read(after, DType::F32, here));
      return b.call(Fn::Mul, b.read(given.resultGradient, DType::F32, c.out), others);
    });
  }

  /// For each point of the domain, the product over the points of its element with a smaller (sign 1) or
  /// larger (sign -1) ordinal: the reduction indices stand twice, the second time as the factors'.
  int otherPoints(const Clause &c, std::string_view suffix, int sign) {
    Clause others{c.domain, {}, {}, {}};
    std::vector<int> factor(c.domain.size());
    std::vector<graph::Extent> shape;
    for (int p = 0; p < static_cast<int>(c.domain.size()); ++p) {
      factor[p] = p;
      others.out.push_back(Affine::var(p));
      shape.push_back(c.domain[p].extent);
    }
    for (int p : c.reduction()) {
      factor[p] = static_cast<int>(others.domain.size());
      graph::Index second = c.domain[p];
      auto taken = [&](const graph::Index &i) { return i.name == second.name; };
      do
        second.name += "_";
      while (std::any_of(others.domain.begin(), others.domain.end(), taken));
      others.domain.push_back(second);
    }
    auto toFactor = [&](int p) { return Affine::var(factor[p]); };
    for (const Affine &g : c.guards)
      others.guards.push_back(g.substitute(toFactor));
    const Affine distance = graph::ordinal(c) - graph::ordinal(c).substitute(toFactor);
    others.guards.push_back(distance * sign - 1);
    others.body.root = others.body.copy(c.body, c.body.root, toFactor);
    Formula s;
    s.op = Combine::Prod;
    s.accumulator = f.accumulator;
    s.clauses.push_back(std::move(others));
    return addSibling(suffix, DType::F32, std::move(shape), std::move(s));
  }

  const FormulaProblem &given;
  const Formula &f;
  std::vector<Formula> &siblings;
  std::vector<Contribution> found;
};

} // namespace

std::vector<Contribution> contributions(const FormulaProblem &problem, std::vector<Formula> &siblings) {
  return FormulaGradient(problem, siblings).run();
}

} // namespace netc::grad
