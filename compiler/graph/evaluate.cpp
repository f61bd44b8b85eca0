#include "compiler/graph/evaluate_clause.h"
#include "compiler/graph/evaluate_contraction.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/in_parallel.h"

#include <algorithm>
#include <fmt/format.h>
#include <thread>

namespace netc::graph {

namespace {

std::int64_t elementCount(const Tensor &t, std::int64_t count) {
  std::int64_t n = 1;
  for (std::int64_t e : extentsOf(t, count))
    n *= e;
  return n;
}

/// A formula to compute, and the tensors that nothing reads after it.
struct Stage {
  const Formula *formula;
  std::vector<int> last;
};

/// The formulas that `wanted` needs (empty: all, and all is kept), in order.
std::vector<Stage> neededStages(const Graph &g, const std::vector<int> &wanted) {
  std::vector<char> needed(g.tensors.size(), wanted.empty());
  for (int t : wanted)
    needed[t] = 1;
  std::vector<Stage> stages;
  for (auto f = g.formulas.rbegin(); f != g.formulas.rend(); ++f) {
    if (!needed[f->target])
      continue;
    stages.push_back({&*f, {}});
    for (const Clause &c : f->clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read && !needed[n.id]) {
          needed[n.id] = 1;
          stages.back().last.push_back(n.id);
        }
  }
  std::reverse(stages.begin(), stages.end());
  return stages;
}

/// Constants are filled in; what is given must have the right size.
void prepareValues(const Graph &g, Values &values, const Evaluation &how) {
  for (std::size_t t = 0; t < g.tensors.size(); ++t) {
    const Tensor &tensor = g.tensors[t];
    if (tensor.kind == TensorKind::Constant && !(how.given && how.given->contains(static_cast<int>(t)))) {
      std::vector<double> &v = values[static_cast<int>(t)] = tensor.values;
      if (how.precision == Precision::Float32 && tensor.dtype == DType::F32)
        for (double &x : v)
          x = static_cast<float>(x);
    }
    const auto given = values.find(static_cast<int>(t));
    const std::int64_t expected = elementCount(tensor, how.count);
    if (tensor.kind != TensorKind::Local && given != values.end() &&
        static_cast<std::int64_t>(given->second.size()) != expected)
      throw UserError(fmt::format("'{}' has {} values, expected {}", tensor.name, given->second.size(), expected));
  }
}

/// Operations of a clause: points times nodes of the body.
double clauseWork(const Clause &c) {
  double operations = static_cast<double>(c.body.nodes.size());
  for (const Index &i : c.domain)
    operations *= static_cast<double>(i.extent.size);
  return operations;
}

bool isExtremum(Combine op) { return op >= Combine::Max; }

void evaluateInParts(const ClauseContext &context, const Clause &clause, Accumulation &to) {
  const int parts = usefulParts(clauseWork(clause));
  std::vector<Decisions> made(parts);
  inParallel(parts, [&](std::size_t i) {
    ClauseContext own = context;
    if (context.decisions)
      own.decisions = &made[i];
    evaluateClause(own, clause, {static_cast<int>(i), parts}, to);
  });
  if (context.decisions)
    for (const Decisions &d : made)
      record(*context.decisions, d.hash);
}

void evaluateFormula(const ClauseContext &context, std::vector<double> &result) {
  if (evaluateContraction(context, result))
    return;
  const Formula &f = context.formula;
  const std::size_t n = elementCount(context.graph.tensors[f.target], context.evaluation.count);
  Accumulation to;
  to.value.assign(n, f.op == Combine::Prod ? 1 : 0);
  if (f.otherwise || isExtremum(f.op))
    to.hit.assign(n, 0);
  if (givesOrdinals(f.op))
    to.best.assign(n, 0);
  if (context.decisions && isExtremum(f.op))
    to.winner.assign(n, -1);
  for (const Clause &c : f.clauses)
    evaluateInParts(context, c, to);
  if (f.otherwise)
    for (std::size_t i = 0; i < n; ++i)
      if (!to.hit[i])
        to.value[i] = context.evaluation.precision == Precision::Float32 ? static_cast<float>(*f.otherwise) : *f.otherwise;
  for (std::int64_t w : to.winner)
    record(*context.decisions, static_cast<std::uint64_t>(w));
  result = std::move(to.value);
}

} // namespace

const std::vector<double> *ClauseContext::valuesOf(int tensor) const {
  for (const Values *v : {&values, evaluation.given})
    if (v)
      if (const auto found = v->find(tensor); found != v->end())
        return &found->second;
  return nullptr;
}

double evaluationWork(const Graph &g) {
  double work = 0;
  for (const Formula &f : g.formulas)
    for (const Clause &c : f.clauses)
      work += clauseWork(c);
  return work;
}

int usefulParts(double work) {
  constexpr double fewest = 1e6; // operations for which a thread is worth starting
  const double most = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<int>(std::clamp(work / fewest, 1.0, most));
}

std::vector<std::int64_t> extentsOf(const Tensor &t, std::int64_t count) {
  std::vector<std::int64_t> extents;
  for (const Extent &e : t.shape)
    extents.push_back(e.batch ? count : e.size);
  return extents;
}

void evaluate(const Graph &g, Values &values, const Evaluation &how, const std::vector<int> &wanted,
              Decisions *decisions) {
  prepareValues(g, values, how);
  ScalarInputs inputs = how.scalars;
  inputs.count = static_cast<double>(how.count);
  std::vector<double> scalars;
  for (const RuntimeScalar &s : g.scalars) {
    const double v = netc::evaluate(s.program, inputs);
    scalars.push_back(how.precision == Precision::Float32 && typeOf(s.program) == DType::F32 ? static_cast<float>(v) : v);
  }
  for (const Stage &stage : neededStages(g, wanted)) {
    std::vector<double> result;
    evaluateFormula({g, *stage.formula, values, how, scalars, decisions}, result);
    values[stage.formula->target] = std::move(result);
    for (int t : stage.last)
      if (g.tensors[t].kind == TensorKind::Local)
        values.erase(t);
  }
}

void evaluate(const Graph &g, Values &values, const Evaluation &how, const std::vector<int> &wanted) {
  evaluate(g, values, how, wanted, nullptr);
}

} // namespace netc::graph
