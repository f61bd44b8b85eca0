// Invariants 4, 5, 10 and 11: names, ranks, types and batch extents.
#include "compiler/graph/ranges.h"
#include "compiler/graph/verify_formula.h"

#include <cmath>
#include <fmt/format.h>
#include <set>

namespace netc::graph {

namespace {

using Words = FunctionRef<std::string()>; // what a message speaks of; asked for when there is one

constexpr std::int64_t maxCoefficient = std::int64_t(1) << 24; // with extents up to 2^28, ranges stay within 64 bits

class ClauseCheck {
public:
  ClauseCheck(const Graph &g, const Formula &f, std::size_t number, Finding &finding)
      : g(g), f(f), number(number), clause(f.clauses[number]), finding(finding) {}

  void run() {
    domain();
    for (const Affine &a : clause.guards)
      affine(a, [] { return "a guard"; });
    map(f.target, clause.out, [] { return "the output map"; });
    for (std::size_t n = 0; n < clause.body.nodes.size(); ++n)
      node(static_cast<int>(n), clause.body.nodes[n]);
    if (clause.body.root < 0 || clause.body.root >= static_cast<int>(clause.body.nodes.size()))
      return error("the body has no root");
    result();
  }

private:
  void error(const std::string &message, int tensor = -1) { finding.add(placeName(g, f, number) + ": " + message, tensor); }

  void domain() {
    std::set<std::string> names;
    for (const Index &i : clause.domain) {
      if (!names.insert(i.name).second)
        error(fmt::format("index '{}' stands twice in the domain", i.name));
      if (i.extent.size < 1)
        error(fmt::format("index '{}' has extent {}, expected at least 1", i.name, i.extent.size));
      if (i.extent.batch && i.extent.size != g.batch)
        error(fmt::format("batch index '{}' has planned extent {}, expected {}", i.name, i.extent.size, g.batch));
    }
  }

  bool affine(const Affine &a, Words what) {
    for (const auto &[p, k] : a.terms()) {
      if (p < 0 || p >= static_cast<int>(clause.domain.size())) {
        error(fmt::format("{} uses index {} of a domain of {}", what(), p, clause.domain.size()));
        return false;
      }
      if (k > maxCoefficient || k < -maxCoefficient) {
        error(fmt::format("{} has the coefficient {}, which is too large", what(), k));
        return false;
      }
    }
    return true;
  }

  bool isBatch(const Affine &a) const {
    int p = -1;
    return a.isVar(&p) && clause.domain[p].extent.batch;
  }

  bool usesBatch(const Affine &a) const {
    for (const auto &[p, k] : a.terms())
      if (clause.domain[p].extent.batch)
        return true;
    return false;
  }

  void map(int tensor, const std::vector<Affine> &m, Words what) {
    const Tensor &t = g.tensors[tensor];
    if (m.size() != t.shape.size())
      return error(fmt::format("{} has {} dimensions, expected {} as '{}' has", what(), m.size(), t.shape.size(), t.name), tensor);
    for (std::size_t d = 0; d < m.size(); ++d) {
      if (!affine(m[d], what))
        continue;
      if (t.shape[d].batch && !isBatch(m[d]) && !(m[d] == Affine(0)))
        error(fmt::format("dimension {} of {} is '{}', expected a batch index alone, since that of '{}' is N", d, what(),
                          str(clause, m[d]), t.name), tensor);
      if (!t.shape[d].batch && usesBatch(m[d]))
        error(fmt::format("dimension {} of {} is '{}', but a batch index indexes only an extent N, found {}", d, what(),
                          str(clause, m[d]), t.shape[d].size), tensor);
    }
  }

  void node(int n, const Node &x) {
    switch (x.kind) {
    case Node::Kind::Const:
      if (x.dtype == DType::U8 || (x.dtype != DType::F32 && x.value != std::trunc(x.value)))
        error(fmt::format("constant {} is not of type {}", x.value, name(x.dtype)));
      return;
    case Node::Kind::Index:
      affine(x.affine, [] { return "index()"; });
      return expectType(x.dtype, DType::I32, [] { return "index()"; });
    case Node::Kind::Scalar:
      if (x.id < 0 || x.id >= static_cast<int>(g.scalars.size()))
        return error(fmt::format("there is no run-time scalar {}", x.id));
      return expectType(x.dtype, typeOf(g.scalars[x.id].program),
                        [&] { return fmt::format("the run-time scalar '{}'", g.scalars[x.id].name); });
    case Node::Kind::Read: return read(x);
    case Node::Kind::Call: return call(n, x);
    }
  }

  void expectType(DType found, DType expected, Words what, int tensor = -1) {
    if (found != expected)
      error(fmt::format("{} has type {}, expected {}", what(), name(found), name(expected)), tensor);
  }

  void read(const Node &x) {
    if (x.id < 0 || x.id >= static_cast<int>(g.tensors.size()))
      return error(fmt::format("a read of tensor {}, but there are {}", x.id, g.tensors.size()));
    const Tensor &t = g.tensors[x.id];
    const auto what = [&] { return fmt::format("the read of '{}'", t.name); };
    expectType(x.dtype, t.dtype == DType::U8 ? DType::I32 : t.dtype, what);
    map(x.id, x.map, what);
  }

  void call(int n, const Node &x) {
    const FnRow &r = row(x.fn);
    if (static_cast<int>(x.args.size()) != r.arity)
      return error(fmt::format("{} has {} arguments, expected {}", r.name, x.args.size(), r.arity));
    for (int a : x.args)
      if (a < 0 || a >= n)
        return error(fmt::format("node {} ({}) has argument {}, expected a smaller number", n, r.name, a));
    types(x, r);
  }

  DType type(const Node &x, int a) const { return clause.body.nodes[x.args[a]].dtype; }
  /// The tensor that gives argument a its type; -1: none.
  int source(const Node &x, int a) const { return readBy(x.args[a]); }
  int readBy(int node) const {
    const Node &n = clause.body.nodes[node];
    return n.kind == Node::Kind::Read ? n.id : -1;
  }

  void types(const Node &x, const FnRow &r) {
    auto argument = [&](int a, DType expected) {
      expectType(type(x, a), expected, [&] { return fmt::format("argument {} of {}", a + 1, r.name); }, source(x, a));
    };
    auto result = [&](DType expected) {
      expectType(x.dtype, expected, [&] { return std::string(r.name); });
    };
    auto all = [&](DType arguments, DType gives) {
      for (int a = 0; a < r.arity; ++a)
        argument(a, arguments);
      result(gives);
    };
    switch (r.signature) {
    case Signature::Real: return all(DType::F32, DType::F32);
    case Signature::Compare: return all(type(x, 0) == DType::F32 ? DType::F32 : DType::I32, DType::Bool);
    case Signature::Choose:
      argument(0, DType::Bool);
      argument(2, type(x, 1));
      return result(type(x, 1));
    case Signature::Logic: return all(DType::Bool, DType::Bool);
    case Signature::Integer: return all(DType::I32, DType::I32);
    case Signature::RealToInt: return all(DType::F32, DType::I32);
    case Signature::IntToReal: return all(DType::I32, DType::F32);
    }
  }

  void result() {
    const DType target = g.tensors[f.target].dtype, body = clause.body.nodes[clause.body.root].dtype;
    const bool arg = givesOrdinals(f.op);
    if (arg && target != DType::I32 && target != DType::U8)
      error(fmt::format("{} gives ordinals, but '{}' has type {}, expected i32 or u8", name(f.op), g.tensors[f.target].name,
                        name(target)));
    if (arg && target == DType::U8)
      if (const Interval gives = valuesOfOrdinals(f); !gives.within(valuesOfU8))
        error(fmt::format("{} gives {} to {}, but '{}' has type u8", name(f.op), gives.min, gives.max, g.tensors[f.target].name));
    if (!arg && target != body)
      error(fmt::format("the body has type {}, expected {} as '{}' has", name(body), name(target),
                        g.tensors[f.target].name), readBy(clause.body.root));
    if (f.op != Combine::Assign && body == DType::Bool)
      error(fmt::format("{} combines numbers, found a body of type bool", name(f.op)), readBy(clause.body.root));
  }

  const Graph &g;
  const Formula &f;
  const std::size_t number;
  const Clause &clause;
  Finding &finding;
};

} // namespace

std::string placeName(const Graph &g, const Formula &f, std::size_t clause) {
  const std::string &target = g.tensors[f.target].name;
  return f.clauses.size() == 1 ? fmt::format("formula of '{}'", target)
                               : fmt::format("clause {} of '{}'", clause + 1, target);
}

void verifyClauses(const Graph &g, const Formula &f, Finding &finding) {
  const std::string &target = g.tensors[f.target].name;
  if (f.clauses.empty())
    finding.add(fmt::format("formula of '{}' has no clause", target));
  if (givesOrdinals(f.op) && f.clauses.size() > 1)
    finding.add(fmt::format("formula of '{}': {} has {} clauses, expected one", target, name(f.op),
                                       f.clauses.size()));
  if (g.tensors[f.target].dtype == DType::F32 && f.accumulator != DType::F32)
    finding.add(fmt::format("formula of '{}' accumulates in {}, expected f32", target, name(f.accumulator)));
  if (f.otherwise && g.tensors[f.target].dtype != DType::F32 && *f.otherwise != std::trunc(*f.otherwise))
    finding.add(fmt::format("formula of '{}': otherwise is {}, expected a value of type {}", target, *f.otherwise,
                                       name(g.tensors[f.target].dtype)));
  for (std::size_t c = 0; c < f.clauses.size(); ++c)
    ClauseCheck(g, f, c, finding).run();
}

} // namespace netc::graph
