#include "compiler/graph/evaluate_clause.h"

#include "compiler/graph/evaluate_rows.h"
#include "compiler/graph/loop_nest.h"
#include "compiler/support/diagnostics.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <numeric>

namespace netc::graph {

namespace {

struct ReadSource {
  const double *data;
  std::int64_t size;
};

class ClauseRun {
public:
  ClauseRun(const ClauseContext &context, const Clause &clause, const Part &part, Accumulation &to)
      : context(context), clause(clause), to(to), single(context.evaluation.precision == Precision::Float32) {
    prepareMaps();
    prepareBody();
    prepareLoops(part);
  }

  void run() {
    if (inner.extent <= 0 || nest.empty())
      return;
    do {
      const auto [begin, end] = innerRange();
      for (std::int64_t i = begin; i < end; i += rowLength)
        runRow(i, static_cast<int>(std::min<std::int64_t>(rowLength, end - i)));
    } while (nest.advance());
  }

private:
  std::int64_t extent(int position) const {
    const Extent &e = clause.domain[position].extent;
    return e.batch ? context.evaluation.count : e.size;
  }

  int track(const Affine &a) {
    tracked.push_back(a);
    return nest.track(a.constant());
  }

  /// Points that hit one element agree in such an index, so that it may run anywhere, and in several parts.
  bool standsAlone(int position) const {
    return std::any_of(clause.out.begin(), clause.out.end(), [&](const Affine &a) {
      int v;
      return a.isVar(&v) && v == position;
    });
  }

  /// The loops in domain order, but `last` innermost, restricted to the part; neighbours that all maps walk like one are one.
  LoopNest loopsWith(int last, const Part &part) const {
    LoopNest result = nest;
    std::vector<int> order;
    for (int p = 0; p < static_cast<int>(clause.domain.size()); ++p)
      if (p != last)
        order.push_back(p);
    order.push_back(last);
    int split = -1;
    for (int p : order) {
      Loop loop{extent(p), {}};
      for (const Affine &a : tracked)
        loop.step.push_back(a.coefficient(p));
      result.loops.push_back(std::move(loop));
      if (standsAlone(p) && (split < 0 || part.balance(extent(p)) > part.balance(extent(order[split]))))
        split = static_cast<int>(result.loops.size()) - 1;
    }
    if (split >= 0)
      result.restrict(split, part.begin(extent(order[split])), part.end(extent(order[split])));
    else if (part.index > 0)
      result.loops.front().extent = 0; // the first part does it all
    result.merge();
    return result;
  }

  /// How much a point costs in rows along this loop, about.
  double rowCost(const Loop &row) const {
    constexpr double start = 60, chained = 4, strided = 4;
    double cost = start / static_cast<double>(std::clamp<std::int64_t>(row.extent, 1, rowLength));
    for (std::size_t n = 0; n < clause.body.nodes.size(); ++n)
      if (clause.body.nodes[n].kind == Node::Kind::Read && std::abs(row.step[slots[n]]) > 1)
        cost += strided;
    const std::int64_t step = std::abs(row.step[out]);
    return cost + (step == 0 ? chained : step > 1 ? strided : 0);
  }

  void prepareLoops(const Part &part) {
    const int rank = static_cast<int>(clause.domain.size());
    if (rank == 0) { // one point
      inner = {part.index == 0 ? 1 : 0, std::vector<std::int64_t>(tracked.size(), 0)};
      return;
    }
    LoopNest best = loopsWith(rank - 1, part);
    for (int p = 0; p < rank - 1; ++p) {
      if (!standsAlone(p))
        continue;
      LoopNest other = loopsWith(p, part);
      if (rowCost(other.loops.back()) < rowCost(best.loops.back()))
        best = std::move(other);
    }
    nest = std::move(best);
    inner = nest.takeInnermost();
  }

  /// The offset into a row-major tensor.
  int track(const std::vector<Affine> &map, const std::vector<std::int64_t> &shape) {
    Affine offset;
    std::int64_t stride = 1;
    for (std::size_t d = map.size(); d-- > 0; stride *= shape[d])
      offset += map[d] * stride;
    return track(offset);
  }

  /// Numbers the points by some of their indices, in mixed radix.
  int trackNumber(const std::vector<int> &positions) {
    Affine number;
    std::int64_t radix = 1;
    for (std::size_t k = positions.size(); k-- > 0; radix *= clause.domain[positions[k]].extent.size)
      number += Affine::var(positions[k], radix);
    return track(number);
  }

  void prepareMaps() {
    for (const Affine &g : clause.guards)
      guards.push_back(track(g));
    const Tensor &target = context.graph.tensors[context.formula.target];
    out = track(clause.out, extentsOf(target, context.evaluation.count));
    std::vector<int> all(clause.domain.size());
    std::iota(all.begin(), all.end(), 0);
    ordinal = trackNumber(clause.reduction());
    point = trackNumber(all);
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
    const std::vector<double> *v = context.valuesOf(node.id);
    if (!v)
      throw UserError(fmt::format("no value is given for '{}'", context.graph.tensors[node.id].name));
    sources[n] = {v->data(), static_cast<std::int64_t>(v->size())};
    slots[n] = track(node.map, extentsOf(context.graph.tensors[node.id], context.evaluation.count));
  }

  /// The inner indices at which all guards hold, for the current outer ones.
  std::pair<std::int64_t, std::int64_t> innerRange() const {
    std::int64_t begin = 0, end = inner.extent;
    for (int g : guards) {
      const std::int64_t now = nest.now[g], k = inner.step[g];
      if (k == 0 && now < 0)
        return {0, 0};
      if (k > 0 && now < 0)
        begin = std::max(begin, (-now + k - 1) / k);
      if (k < 0)
        end = now < 0 ? 0 : std::min(end, now / -k + 1);
    }
    return {begin, end};
  }

  std::int64_t at(int slot, std::int64_t i) const { return nest.now[slot] + inner.step[slot] * i; }

  void runRow(std::int64_t i, int length) {
    const std::vector<Node> &nodes = clause.body.nodes;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (nodes[n].kind == Node::Kind::Index)
        fillIndex(rows[n], at(slots[n], i), inner.step[slots[n]], length);
      else if (nodes[n].kind == Node::Kind::Read)
        readRow(n, i, length);
      else if (nodes[n].kind == Node::Kind::Call)
        callRow(n, nodes[n], length);
    }
    const Tensor &target = context.graph.tensors[context.formula.target];
    const std::int64_t o = at(out, i), stride = inner.step[out];
    checkRange(o, stride, length, static_cast<std::int64_t>(to.value.size()), context.formula.target);
    const CombineRow row{operands[clause.body.root], length,           o,
                         stride,                     at(ordinal, i),   inner.step[ordinal],
                         at(point, i),               inner.step[point]};
    combineRow(context.formula.op, row, single && target.dtype == DType::F32, to);
  }

  void readRow(std::size_t n, std::int64_t i, int length) {
    const std::int64_t o = at(slots[n], i), stride = inner.step[slots[n]];
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
  std::vector<Affine> tracked; // over domain positions: what `nest` tracks
  LoopNest nest;               // all loops but the inner one
  Loop inner;
  std::vector<int> guards;
  int out = -1, ordinal = -1, point = -1;
  std::vector<Row> rows;                // one a node
  std::vector<const double *> operands; // a node's row, or the tensor itself
  std::vector<int> slots;               // Index, Read: their tracks
  std::vector<ReadSource> sources;      // Read
};

} // namespace

void evaluateClause(const ClauseContext &context, const Clause &clause, const Part &part, Accumulation &to) {
  ClauseRun(context, clause, part, to).run();
}

} // namespace netc::graph
