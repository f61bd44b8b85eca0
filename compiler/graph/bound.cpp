// Running error analysis: each value is carried with a bound on its distance from what float32 arithmetic gives.
#include "compiler/graph/bounded.h"
#include "compiler/graph/evaluate_clause.h"
#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace netc::graph {

namespace {

/// What one element of the target has collected so far.
struct Collected {
  Bounded result;
  double magnitude = 0; // sum: of |terms|
  double terms = 0;
  double second = -INFINITY; // argmax, argmin: the best that any loser can reach, as a maximum
  bool hit = false;
};

class BoundRun {
public:
  BoundRun(const Graph &g, Values &values, Values &errors, const Evaluation &how)
      : g(g), values(values), errors(errors), count(how.count) {
    ScalarInputs inputs = how.scalars;
    inputs.count = static_cast<double>(count);
    for (const RuntimeScalar &s : g.scalars) {
      const double v = netc::evaluate(s.program, inputs);
      scalars.push_back(typeOf(s.program) == DType::F32 ? roundedInput(v) : Bounded{v, 0});
    }
  }

  void run(const Formula &f) {
    std::size_t n = 1;
    for (std::int64_t e : extentsOf(g.tensors[f.target], count))
      n *= e;
    std::vector<Collected> elements(n);
    for (const Clause &c : f.clauses)
      points(f, c, elements);
    std::vector<double> &v = values[f.target], &e = errors[f.target];
    v.assign(n, 0);
    e.assign(n, 0);
    for (std::size_t i = 0; i < n; ++i) {
      const Bounded b = finish(f, elements[i]);
      v[i] = b.value;
      e[i] = b.error;
    }
  }

private:
  struct Source {
    Affine offset;                                       // into a row-major tensor
    const std::vector<double> *values = nullptr, *errors = nullptr; // no errors: exact
  };

  /// What is the same for all points of a clause, and room for the values of its body.
  struct Prepared {
    const Clause &clause;
    Affine out;
    std::vector<int> reduction;
    std::vector<Source> reads; // by node
    std::vector<Bounded> results;
  };

  Prepared prepare(const Formula &f, const Clause &c) const {
    Prepared p{c, offset(f.target, c.out), c.reduction(), {}, {}};
    for (const Node &n : c.body.nodes)
      p.reads.push_back(n.kind == Node::Kind::Read ? source(n) : Source());
    p.results.resize(c.body.nodes.size());
    return p;
  }

  Source source(const Node &read) const {
    const auto v = values.find(read.id);
    if (v == values.end())
      throw UserError(fmt::format("no value is given for '{}'", g.tensors[read.id].name));
    const auto e = errors.find(read.id);
    return {offset(read.id, read.map), &v->second, e == errors.end() ? nullptr : &e->second};
  }

  void points(const Formula &f, const Clause &c, std::vector<Collected> &elements) {
    Prepared prepared = prepare(f, c);
    std::vector<std::int64_t> at(c.domain.size(), 0);
    for (;;) {
      if (std::all_of(c.guards.begin(), c.guards.end(), [&](const Affine &a) { return value(a, at) >= 0; }))
        collect(f.op, body(prepared, at), ordinal(prepared, at), elements.at(value(prepared.out, at)));
      int d = static_cast<int>(at.size()) - 1;
      for (; d >= 0; at[d--] = 0)
        if (++at[d] < (c.domain[d].extent.batch ? count : c.domain[d].extent.size))
          break;
      if (d < 0)
        return;
    }
  }

  static std::int64_t value(const Affine &a, const std::vector<std::int64_t> &at) {
    std::int64_t sum = a.constant();
    for (const auto &[position, coefficient] : a.terms())
      sum += coefficient * at[position];
    return sum;
  }

  static double ordinal(const Prepared &p, const std::vector<std::int64_t> &at) {
    double number = 0;
    for (int r : p.reduction)
      number = number * static_cast<double>(p.clause.domain[r].extent.size) + static_cast<double>(at[r]);
    return number;
  }

  Affine offset(int tensor, const std::vector<Affine> &map) const {
    const std::vector<std::int64_t> shape = extentsOf(g.tensors[tensor], count);
    Affine o;
    std::int64_t stride = 1;
    for (std::size_t d = map.size(); d-- > 0; stride *= shape[d])
      o += map[d] * stride;
    return o;
  }

  Bounded body(Prepared &p, const std::vector<std::int64_t> &at) const {
    const Body &body = p.clause.body;
    for (std::size_t n = 0; n < body.nodes.size(); ++n)
      p.results[n] = node(body.nodes[n], at, p.reads[n], p.results);
    return p.results[body.root];
  }

  Bounded node(const Node &n, const std::vector<std::int64_t> &at, const Source &read,
               const std::vector<Bounded> &results) const {
    switch (n.kind) {
    case Node::Kind::Const: return n.dtype == DType::F32 ? roundedInput(n.value) : Bounded{n.value, 0};
    case Node::Kind::Index: return {static_cast<double>(value(n.affine, at)), 0};
    case Node::Kind::Scalar: return scalars[n.id];
    case Node::Kind::Read: {
      const std::size_t o = static_cast<std::size_t>(value(read.offset, at));
      return {read.values->at(o), read.errors ? read.errors->at(o) : 0};
    }
    case Node::Kind::Call: {
      Bounded args[3];
      for (std::size_t a = 0; a < n.args.size(); ++a)
        args[a] = results[n.args[a]];
      return boundedCall(n.fn, args);
    }
    }
    internalError("unknown node");
  }

  static void collect(Combine op, Bounded x, double ordinal, Collected &to) {
    const bool first = !to.hit;
    to.hit = true;
    switch (op) {
    case Combine::Assign: to.result = x; return;
    case Combine::Sum:
      to.result = first ? x : Bounded{to.result.value + x.value, to.result.error + x.error};
      to.magnitude += std::fabs(x.value) + x.error;
      to.terms += 1;
      return;
    case Combine::Prod: to.result = first ? x : boundedProduct(to.result, x); return;
    case Combine::Max:
    case Combine::Min: {
      const bool wins = first || std::isnan(x.value) ||
                        (op == Combine::Max ? to.result.value < x.value : x.value < to.result.value);
      to.result = {wins ? x.value : to.result.value, std::max(first ? 0 : to.result.error, x.error)};
      return;
    }
    case Combine::ArgMax:
    case Combine::ArgMin: collectOrdinal(op == Combine::ArgMax ? x : Bounded{-x.value, x.error}, ordinal, first, to); return;
    }
  }

  /// `result` holds the ordinal; `magnitude` the least that the winner may be.
  static void collectOrdinal(Bounded x, double ordinal, bool first, Collected &to) {
    if (first || to.terms < x.value || std::isnan(x.value)) { // terms: the winner's value
      if (!first)
        to.second = std::max(to.second, to.terms + to.result.error);
      to.terms = x.value;
      to.magnitude = x.value - x.error;
      to.result = {ordinal, x.error};
    } else {
      to.second = std::max(to.second, x.value + x.error);
    }
  }

  Bounded finish(const Formula &f, const Collected &c) const {
    if (!c.hit)
      return roundedInput(f.otherwise ? *f.otherwise : f.op == Combine::Prod ? 1 : 0);
    if (f.op == Combine::Sum && g.tensors[f.target].dtype == DType::F32)
      return {c.result.value, slack * (c.result.error + c.terms * (unitRoundoff * c.magnitude + underflow))};
    if (givesOrdinals(f.op)) // exact ties go to the first and are certain
      return {c.result.value, c.second > c.magnitude && c.second > -INFINITY ? INFINITY : 0};
    return c.result;
  }

  const Graph &g;
  Values &values, &errors;
  std::int64_t count;
  std::vector<Bounded> scalars;
};

} // namespace

void evaluateWithBound(const Graph &g, Values &values, Values &errors, const Evaluation &how) {
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    if (g.tensors[t].kind == TensorKind::Constant) {
      std::vector<double> &v = values[static_cast<int>(t)] = g.tensors[t].values;
      std::vector<double> &e = errors[static_cast<int>(t)];
      e.clear();
      for (double x : v)
        e.push_back(g.tensors[t].dtype == DType::F32 ? roundedInput(x).error : 0);
    }
  BoundRun run(g, values, errors, how);
  for (const Formula &f : g.formulas)
    run.run(f);
}

} // namespace netc::graph
