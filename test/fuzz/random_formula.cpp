#include "test/fuzz/random_formula.h"

#include "compiler/graph/verifier.h"

#include <algorithm>
#include <fmt/format.h>

namespace netc::fuzz {

using graph::Body;
using graph::Clause;
using graph::Combine;
using graph::Extent;
using graph::Formula;
using graph::Graph;
using graph::Tensor;
using graph::TensorKind;

namespace {

constexpr std::int64_t maxPoints = 600; // of a formula's domain, for each sample
constexpr int maxRank = 7;

class FormulaMaker {
public:
  FormulaMaker(Graph &g, Random &r) : g(g), r(r) {}

  bool make(const std::string &name) {
    chooseCombine();
    readTensors();
    if (clause.domain.empty() || static_cast<int>(clause.domain.size()) > maxRank)
      return false;
    chooseOutputs();
    randomGuard();
    body();
    shapeOutput(name);
    return points() <= maxPoints && add();
  }

private:
  void chooseCombine() {
    static const std::vector<Combine> often = {Combine::Sum, Combine::Sum, Combine::Sum,    Combine::Assign, Combine::Assign,
                                               Combine::Max, Combine::Min, Combine::ArgMax, Combine::Prod};
    formula.op = r.pick(often);
    if (formula.op == Combine::ArgMax && r.chance(30))
      formula.op = Combine::ArgMin;
  }

  int fresh(std::int64_t extent, bool batch = false) {
    const int p = static_cast<int>(clause.domain.size());
    clause.domain.push_back({batch ? "n" : fmt::format("i{}", p), Extent{extent, batch}});
    reduced.push_back(false);
    return p;
  }

  int batchIndex() {
    for (std::size_t p = 0; p < clause.domain.size(); ++p)
      if (clause.domain[p].extent.batch)
        return static_cast<int>(p);
    return fresh(g.batch, true);
  }

  void readTensors() {
    const int count = r.between(1, 3);
    for (int k = 0; k < count; ++k) {
      std::vector<int> candidates;
      for (std::size_t t = 0; t < g.tensors.size(); ++t)
        if (g.tensors[t].kind != TensorKind::Gradient)
          candidates.push_back(static_cast<int>(t));
      const int t = r.pick(candidates);
      std::vector<Affine> map;
      for (const Extent &e : g.tensors[t].shape)
        map.push_back(e.batch ? Affine::var(batchIndex()) : k == 0 ? newSubscript(e.size) : anySubscript(e.size));
      reads.push_back(clause.body.read(t, g.tensors[t].dtype, map));
    }
  }

  /// A subscript of an extent by one or two indices of its own, or none.
  Affine newSubscript(std::int64_t size) {
    const int kind = r.below(100);
    if (kind < 30)
      return Affine::var(fresh(size));
    if (kind < 37)
      return Affine(r.below(static_cast<int>(size)));
    if (kind < 45) { // from the end
      return Affine(size - 1) - Affine::var(fresh(size));
    }
    if (kind < 55) { // offset
      const std::int64_t o = r.below(static_cast<int>(size));
      return Affine::var(fresh(size - o)) + o;
    }
    if (kind < 70) { // stride
      const std::int64_t s = r.between(2, 3), o = r.below(static_cast<int>(std::min(s, size)));
      return Affine::var(fresh((size - o - 1) / s + 1), s) + o;
    }
    return window(size);
  }

  /// stride*i + dilation*u - pad, with guards where the padding reaches out.
  Affine window(std::int64_t size) {
    const std::int64_t k = r.between(1, 3), dilation = r.between(1, 2), s = r.between(1, 2), pad = r.below(2);
    const std::int64_t span = dilation * (k - 1), places = size + 2 * pad - span;
    if (places <= 0)
      return Affine::var(fresh(size));
    const int i = fresh((places - 1) / s + 1), u = fresh(k);
    reduced[u] = true;
    const Affine at = Affine::var(i, s) + Affine::var(u, dilation) - Affine(pad);
    if (pad > 0) {
      clause.guards.push_back(at);
      clause.guards.push_back(Affine(size - 1) - at);
    }
    return at;
  }

  /// An index that is there already and fits, or a new subscript.
  Affine anySubscript(std::int64_t size) {
    std::vector<int> fits;
    for (std::size_t p = 0; p < clause.domain.size(); ++p)
      if (!clause.domain[p].extent.batch && clause.domain[p].extent.size <= size)
        fits.push_back(static_cast<int>(p));
    if (fits.empty() || r.chance(15))
      return r.chance(50) ? Affine(r.below(static_cast<int>(size))) : newSubscript(size);
    const int p = r.pick(fits);
    const std::int64_t extent = clause.domain[p].extent.size;
    if (r.chance(20))
      return Affine(extent - 1) - Affine::var(p);
    return Affine::var(p) + r.below(static_cast<int>(size - extent + 1));
  }

  /// No product over samples: its gradient would need two batch indices, which schedules do not have.
  void chooseOutputs() {
    for (std::size_t p = 0; p < clause.domain.size(); ++p) {
      if (formula.op == Combine::Assign)
        reduced[p] = false;
      else if (!reduced[p])
        reduced[p] = r.chance(clause.domain[p].extent.batch ? (formula.op == Combine::Prod ? 0 : 20) : 40);
      if (!reduced[p])
        outputs.push_back(static_cast<int>(p));
    }
    r.shuffle(outputs);
    std::stable_partition(outputs.begin(), outputs.end(), [&](int p) { return clause.domain[p].extent.batch; });
  }

  void randomGuard() {
    std::vector<int> inner;
    for (std::size_t p = 0; p < clause.domain.size(); ++p)
      if (!clause.domain[p].extent.batch)
        inner.push_back(static_cast<int>(p));
    if (inner.empty() || !r.chance(20))
      return;
    const int a = r.pick(inner), b = r.pick(inner);
    if (a == b)
      clause.guards.push_back(Affine::var(a) - Affine(r.below(2)));
    else
      clause.guards.push_back(Affine::var(a) - Affine::var(b, r.between(1, 2)) + r.between(0, 2));
  }

  int real(int n) { return clause.body.nodes[n].dtype == DType::F32 ? n : clause.body.call(Fn::Mul, n, clause.body.constant(0.25)); }

  void body() {
    Body &b = clause.body;
    const int rank = static_cast<int>(clause.domain.size());
    if (formula.op == Combine::Assign) {
      b.root = real(randomExpression(b, reads, 3, rank, r));
    } else if (formula.op == Combine::Prod) { // near 1, so that the product stays moderate
      b.root = b.call(Fn::Add, b.constant(1), b.call(Fn::Mul, b.constant(0.25), b.call(Fn::Sin, reads[0])));
    } else if (r.chance(25)) {
      b.root = real(randomExpression(b, reads, 2, rank, r));
    } else {
      b.root = real(reads[0]);
      for (std::size_t k = 1; k < reads.size(); ++k)
        b.root = b.call(Fn::Mul, b.root, reads[k]);
    }
    b.compact();
  }

  /// The output's map and extents: plain, then one dimension perhaps strided, offset, merged or overlapping.
  void shapeOutput(const std::string &name) {
    std::vector<Extent> shape;
    for (int p : outputs) {
      clause.out.push_back(Affine::var(p));
      shape.push_back(clause.domain[p].extent);
    }
    formula.clauses = {clause};
    const std::size_t first = !shape.empty() && shape[0].batch ? 1 : 0;
    if (shape.size() > first && r.chance(35))
      bend(shape, first + r.below(static_cast<int>(shape.size() - first)));
    if (formula.op != Combine::Sum && formula.op != Combine::Prod && r.chance(20))
      formula.otherwise = randomOtherwise();
    Tensor t;
    t.name = name;
    t.dtype = isArg() ? DType::I32 : DType::F32;
    t.shape = shape;
    target = std::move(t);
  }

  void bend(std::vector<Extent> &shape, std::size_t d) {
    Clause &c = formula.clauses[0];
    const std::int64_t extent = shape[d].size;
    const bool several = formula.op == Combine::Assign || formula.op == Combine::Sum;
    const int kind = r.below(4);
    if (kind == 0 && d + 1 < shape.size()) { // two indices as digits of one, or overlapping under a sum
      const std::int64_t next = shape[d + 1].size;
      const std::int64_t radix = formula.op == Combine::Sum && r.chance(60) ? r.between(1, static_cast<int>(next)) : next;
      c.out[d] = c.out[d] * radix + c.out[d + 1];
      c.out.erase(c.out.begin() + d + 1);
      shape[d].size = (extent - 1) * radix + next;
      shape.erase(shape.begin() + d + 1);
      return;
    }
    const std::int64_t stride = kind == 1 ? 1 : r.between(2, 3), offset = r.below(3);
    c.out[d] = c.out[d] * stride + offset;
    shape[d].size = (extent - 1) * stride + offset + 1 + r.below(2);
    if (several && stride > 1 && r.chance(50)) { // the elements between, by a clause of their own
      Clause second = c;
      second.out[d] += Affine(1);
      Body &b = second.body;
      b.root = b.call(Fn::Sub, b.constant(0.5), b.root);
      formula.clauses.push_back(second);
      shape[d].size += 1;
    }
    if (formula.op != Combine::Sum && formula.op != Combine::Prod)
      formula.otherwise = randomOtherwise();
  }

  double randomOtherwise() { return r.pick(isArg() ? std::vector<double>{0, -1} : std::vector<double>{0, 1.5, -0.25}); }
  bool isArg() const { return formula.op == Combine::ArgMax || formula.op == Combine::ArgMin; }

  std::int64_t points() const {
    std::int64_t n = 1;
    for (const graph::Index &i : clause.domain)
      n *= i.extent.batch ? 1 : i.extent.size;
    return n;
  }

  /// Only valid formulas stay; a window that can be empty gets an `otherwise` as a second chance.
  bool add() {
    for (int attempt = 0; attempt < 2; ++attempt) {
      Graph trial = g;
      formula.target = trial.addTensor(target);
      trial.formulas.push_back(formula);
      Diagnostics diag;
      if (graph::verify(trial, diag)) {
        g = std::move(trial);
        return true;
      }
      formula.otherwise = 0.75;
      if (target.dtype == DType::I32)
        formula.otherwise = 0;
    }
    return false;
  }

  Graph &g;
  Random &r;
  Formula formula;
  Clause clause;
  Tensor target;
  std::vector<bool> reduced;
  std::vector<int> outputs, reads;
};

} // namespace

bool addRandomFormula(Graph &g, const std::string &name, Random &r) { return FormulaMaker(g, r).make(name); }

} // namespace netc::fuzz
