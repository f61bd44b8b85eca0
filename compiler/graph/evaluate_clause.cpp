#include "compiler/graph/evaluate_clause.h"

#include "compiler/graph/evaluate_rows.h"
#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace netc::graph {

namespace {

/// An affine expression of the loop indices with its value at the current outer indices and inner index 0.
struct Running {
  std::int64_t now = 0;
  std::vector<std::int64_t> step; // one a loop, outermost first
  std::int64_t inner() const { return step.back(); }
};

struct ReadSource {
  const double *data;
  std::int64_t size;
};

class ClauseRun {
public:
  ClauseRun(const ClauseContext &context, const Clause &clause, Accumulation &to)
      : context(context), clause(clause), to(to), single(context.evaluation.precision == Precision::Float32) {
    orderLoops();
    prepareMaps();
    prepareBody();
  }

  void run() {
    if (std::any_of(extents.begin(), extents.end(), [](std::int64_t e) { return e <= 0; }))
      return;
    std::vector<std::int64_t> at(extents.size(), 0);
    do {
      const auto [begin, end] = innerRange();
      for (std::int64_t i = begin; i < end; i += rowLength)
        runRow(i, static_cast<int>(std::min<std::int64_t>(rowLength, end - i)));
    } while (advance(at));
  }

private:
  /// Domain order, except that the longest index that stands alone in an output dimension may go innermost: points
  /// that hit one element agree in such an index, so their order does not change, and rows get longer.
  void orderLoops() {
    const int rank = static_cast<int>(clause.domain.size());
    int inner = rank - 1;
    auto extent = [&](int p) {
      const Extent &e = clause.domain[p].extent;
      return e.batch ? context.evaluation.count : e.size;
    };
    for (const Affine &a : clause.out)
      if (int p; a.isVar(&p) && extent(p) > extent(inner))
        inner = p;
    for (int p = 0; p < rank; ++p)
      if (p != inner)
        loops.push_back(p);
    if (rank > 0)
      loops.push_back(inner);
    for (int p : loops)
      extents.push_back(extent(p));
    if (rank == 0)
      extents.push_back(1); // one point
  }

  int track(std::int64_t constant, const std::function<std::int64_t(int)> &coefficient) {
    Running r;
    r.now = constant;
    for (int p : loops)
      r.step.push_back(coefficient(p));
    if (loops.empty())
      r.step.push_back(0);
    running.push_back(std::move(r));
    return static_cast<int>(running.size()) - 1;
  }

  int track(const Affine &a) {
    return track(a.constant(), [&](int p) { return a.coefficient(p); });
  }

  /// The offset into a row-major tensor.
  int track(const std::vector<Affine> &map, const std::vector<std::int64_t> &shape) {
    Affine offset;
    std::int64_t stride = 1;
    for (std::size_t d = map.size(); d-- > 0; stride *= shape[d])
      offset += map[d] * stride;
    return track(offset);
  }

  void prepareMaps() {
    for (const Affine &g : clause.guards)
      guards.push_back(track(g));
    const Tensor &target = context.graph.tensors[context.formula.target];
    out = track(clause.out, extentsOf(target, context.evaluation.count));
    std::vector<std::int64_t> radix(clause.domain.size(), 0), position(clause.domain.size(), 0);
    std::int64_t product = 1, points = 1;
    const std::vector<int> reduction = clause.reduction();
    for (std::size_t k = reduction.size(); k-- > 0; product *= clause.domain[reduction[k]].extent.size)
      radix[reduction[k]] = product;
    for (std::size_t p = position.size(); p-- > 0; points *= clause.domain[p].extent.size)
      position[p] = points;
    ordinal = track(0, [&](int p) { return radix[p]; });
    point = track(0, [&](int p) { return position[p]; });
  }

  void prepareBody() {
    const Body &body = clause.body;
    rows.resize(body.nodes.size());
    operands.resize(body.nodes.size());
    slots.resize(body.nodes.size(), -1);
    sources.resize(body.nodes.size());
    for (std::size_t n = 0; n < body.nodes.size(); ++n) {
      const Node &node = body.nodes[n];
      operands[n] = rows[n].data();
      if (node.kind == Node::Kind::Const)
        rows[n].fill(single && node.dtype == DType::F32 ? static_cast<float>(node.value) : node.value);
      else if (node.kind == Node::Kind::Scalar)
        rows[n].fill(context.scalars[node.id]);
      else if (node.kind == Node::Kind::Index)
        slots[n] = track(node.affine);
      else if (node.kind == Node::Kind::Read)
        prepareRead(n, node);
    }
  }

  void prepareRead(std::size_t n, const Node &node) {
    const auto v = context.values.find(node.id);
    if (v == context.values.end())
      throw UserError(fmt::format("no value is given for '{}'", context.graph.tensors[node.id].name));
    sources[n] = {v->second.data(), static_cast<std::int64_t>(v->second.size())};
    slots[n] = track(node.map, extentsOf(context.graph.tensors[node.id], context.evaluation.count));
  }

  /// The inner indices at which all guards hold, for the current outer ones.
  std::pair<std::int64_t, std::int64_t> innerRange() const {
    std::int64_t begin = 0, end = extents.back();
    for (int g : guards) {
      const std::int64_t now = running[g].now, k = running[g].inner();
      if (k == 0 && now < 0)
        return {0, 0};
      if (k > 0 && now < 0)
        begin = std::max(begin, (-now + k - 1) / k);
      if (k < 0)
        end = now < 0 ? 0 : std::min(end, now / -k + 1);
    }
    return {begin, end};
  }

  bool advance(std::vector<std::int64_t> &at) {
    for (std::size_t d = extents.size() - 1; d-- > 0;) {
      const bool carry = ++at[d] == extents[d];
      const std::int64_t by = carry ? 1 - extents[d] : 1;
      for (Running &r : running)
        r.now += r.step[d] * by;
      if (!carry)
        return true;
      at[d] = 0;
    }
    return false;
  }

  std::int64_t at(int slot, std::int64_t i) const { return running[slot].now + running[slot].inner() * i; }

  void runRow(std::int64_t i, int length) {
    const std::vector<Node> &nodes = clause.body.nodes;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (nodes[n].kind == Node::Kind::Index)
        fillIndex(rows[n], at(slots[n], i), running[slots[n]].inner(), length);
      else if (nodes[n].kind == Node::Kind::Read)
        readRow(n, i, length);
      else if (nodes[n].kind == Node::Kind::Call)
        callRow(n, nodes[n], length);
    }
    const Tensor &target = context.graph.tensors[context.formula.target];
    const std::int64_t o = at(out, i), stride = running[out].inner();
    checkRange(o, stride, length, static_cast<std::int64_t>(to.value.size()), context.formula.target);
    const CombineRow row{operands[clause.body.root], length,           o,
                         stride,                     at(ordinal, i),   running[ordinal].inner(),
                         at(point, i),               running[point].inner()};
    combineRow(context.formula.op, row, single && target.dtype == DType::F32, to);
  }

  void readRow(std::size_t n, std::int64_t i, int length) {
    const std::int64_t o = at(slots[n], i), stride = running[slots[n]].inner();
    checkRange(o, stride, length, sources[n].size, clause.body.nodes[n].id);
    const double *from = sources[n].data + o;
    if (stride == 1) {
      operands[n] = from;
      return;
    }
    for (int k = 0; k < length; ++k)
      rows[n][k] = from[k * stride];
  }

  void callRow(std::size_t n, const Node &node, int length) {
    const double *args[3] = {};
    for (std::size_t a = 0; a < node.args.size(); ++a)
      args[a] = operands[node.args[a]];
    applyRow(node.fn, rows[n].data(), args, length, single);
    if (context.decisions)
      recordRow(*context.decisions, node.fn, rows[n].data(), args, length);
  }

  /// A verified graph never fails here; an unverified one must not crash.
  void checkRange(std::int64_t first, std::int64_t stride, int length, std::int64_t size, int tensor) const {
    const std::int64_t last = first + stride * (length - 1);
    if (std::min(first, last) < 0 || std::max(first, last) >= size)
      internalError(fmt::format("access outside '{}' in the formula of '{}'", context.graph.tensors[tensor].name,
                                context.graph.tensors[context.formula.target].name));
  }

  const ClauseContext &context;
  const Clause &clause;
  Accumulation &to;
  const bool single; // round every real operation to float32
  std::vector<int> loops;            // domain positions, outermost first
  std::vector<std::int64_t> extents; // of the loops
  std::vector<Running> running;
  std::vector<int> guards;
  int out = -1, ordinal = -1, point = -1;
  std::vector<Row> rows;                // one a node
  std::vector<const double *> operands; // a node's row, or the tensor itself
  std::vector<int> slots;               // Index, Read: in `running`
  std::vector<ReadSource> sources;      // Read
};

} // namespace

void evaluateClause(const ClauseContext &context, const Clause &clause, Accumulation &to) {
  ClauseRun(context, clause, to).run();
}

} // namespace netc::graph
