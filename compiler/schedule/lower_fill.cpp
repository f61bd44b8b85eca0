// A tensor gets its `otherwise` value, or the identity of its combine, before its leaves write: everywhere,
// or, where they write all but a border, on that.
#include "compiler/loop/walk.h"
#include "compiler/schedule/lower_leaf.h"

#include <algorithm>
#include <fmt/format.h>

namespace netc::schedule {

using graph::Combine;

namespace {

/// One dimension of the memory, outermost first.
struct Rows {
  std::int64_t count, stride;         // elements
  std::int64_t before = 0, after = 0; // that no clause writes
};

class FillLowering {
 public:
  FillLowering(const LeafContext &context, const graph::Formula &f)
      : context(context), formula(f), tensor(context.graph.tensors[f.target]), k(tensor.name + ".fill"),
        buffer(context.buffers.of[f.target]),
        layout(schedule::layout(context.graph, context.schedule.memory, f.target)) {}

  loop::Kernel run() {
    const loop::Buffer &b = context.buffers.list[buffer];
    const double v = formula.otherwise ? *formula.otherwise : formula.op == Combine::Prod ? 1 : 0;
    value = KernelBuilder::constant(v, loop::registerType(b.type));
    describeMemory();
    const bool border =
        std::any_of(rows.begin(), rows.end(), [](const Rows &r) { return r.before + r.after > 0; });
    k.kernel.comment.push_back(
        fmt::format("{} = {} {}", tensor.name, v, border ? "at its border" : "everywhere"));
    const bool blocks = context.buffers.wholeBlocks[formula.target];
    if (!blocks && (tensor.shape.empty() || !tensor.shape[0].batch)) {
      const std::vector<Affine> first = context.turns ? std::vector{Affine::var(loop::Turn, -1)} : std::vector<Affine>{};
      k.when(first, [&] { part(0, 0, border); }); // later turns go on with what it holds
      return k.finish();
    }
    if (context.turns)
      throw UserError(fmt::format("schedule: '{}' has samples, so that it cannot be filled before the first turn", tensor.name));
    // The leaves of a tile run as many samples at a time as it says.
    const std::int64_t samples = blocks ? loop::lanes : std::max<std::int64_t>(context.tile, 1);
    const int var = k.kernel.parallel = k.variable(samples == 1 ? "n" : "nb");
    k.kernel.parallelExtent = samples == 1             ? Affine::var(loop::Count)
                              : samples == loop::lanes ? Affine::var(loop::Blocks)
                                                       : Affine((tensor.shape[0].size + samples - 1) / samples);
    const Affine first = context.buffers.parts[formula.target] ? Affine::var(var, samples) : Affine(0);
    const auto sample = [&](int s) { part(1, (Affine::var(s) - first) * rows[0].stride, border); };
    if (blocks || samples == 1)
      sample(var);
    else
      k.loop("n", {Affine::var(var, samples)}, {Affine::var(var, samples) + samples, Affine::var(loop::Count)}, 1, false,
             sample);
    return k.finish();
  }

 private:
  void describeMemory() {
    const bool clean = marginsOf();
    std::int64_t stride = 1;
    for (std::size_t i = 0; i < layout.blocked.size(); ++i)
      stride *= loop::lanes;
    const auto add = [&](std::size_t d) {
      const std::int64_t size = tensor.shape[d].size;
      if (d == 0) stride += layout.padded;
      Rows r{isBlocked(d) ? (size + loop::lanes - 1) / loop::lanes : size, stride};
      if (clean) std::tie(r.before, r.after) = margins[d];
      stride *= r.count;
      rows.insert(rows.begin(), r);
    };
    const bool samples = batchBlocked(tensor, layout);
    for (std::size_t d = tensor.shape.size(); d-- > 0;)
      if (!(samples && tensor.shape[d].batch)) add(d);
    for (std::size_t d = 0; d < tensor.shape.size(); ++d)
      if (samples && tensor.shape[d].batch) add(d); // their blocks are outermost
  }

  bool isBlocked(std::size_t d) const {
    return std::count(layout.blocked.begin(), layout.blocked.end(), static_cast<int>(d)) > 0;
  }

  /// Some leaf writes sample by sample, so that lanes beyond the last sample get nothing.
  bool leavesLanes() const {
    if (!context.buffers.wholeBlocks[formula.target]) return false;
    for (const Group &group : context.schedule.run)
      for (const Leaf &leaf : group.leaves) {
        if (leaf.fill || leaf.formula != tensor.name) continue;
        const auto &domain = formula.clauses[leaf.clause].domain;
        if (std::none_of(domain.begin(), domain.end(),
                         [&](const graph::Index &i) { return i.extent.batch && i.name == leaf.vector; }))
          return true;
      }
    return false;
  }

  /// What the one clause leaves before and after its elements in each dimension; false: not of this kind.
  bool marginsOf() {
    if (leavesLanes()) return false;
    if (formula.op != Combine::Assign || formula.clauses.size() != 1 || !formula.clauses[0].guards.empty())
      return false;
    const graph::Clause &c = formula.clauses[0];
    std::vector<int> seen;
    for (std::size_t d = 0; d < c.out.size(); ++d) {
      const Affine plain = c.out[d] - Affine(c.out[d].constant());
      int v = -1;
      if (!plain.isVar(&v) || std::count(seen.begin(), seen.end(), v)) return false;
      seen.push_back(v);
      const std::int64_t before = c.out[d].constant();
      const std::int64_t after = tensor.shape[d].size - before - c.domain[v].extent.size;
      if (before + after > 0 && isBlocked(d)) return false;
      margins.push_back({before, after});
    }
    return seen.size() == c.domain.size();
  }

  /// The rows of dimension d on, from `base`: all of them, or their border.
  void part(std::size_t d, const Affine &base, bool border) {
    const std::int64_t size = d == 0 ? rows.empty() ? 1 : rows[0].count * rows[0].stride : rows[d - 1].stride;
    if (!border) return fill(base, size);
    std::size_t last = d;
    for (std::size_t i = d; i < rows.size(); ++i)
      if (rows[i].before + rows[i].after > 0) last = i + 1;
    if (last == d) return; // no border below
    const Rows &r = rows[d];
    fill(base, r.before * r.stride);
    fill(base + (r.count - r.after) * r.stride, r.after * r.stride);
    if (last > d + 1)
      k.loop("r", r.before, r.count - r.after, 1, false,
             [&](int v) { part(d + 1, base + Affine::var(v, r.stride), true); });
  }

  void fill(const Affine &base, std::int64_t size) {
    const std::int64_t rest = size % loop::lanes;
    if (size >= loop::lanes)
      k.loop("i", 0, size / loop::lanes, 1, false, [&](int i) {
        k.add(loop::Store{buffer, base + Affine::var(i, loop::lanes), 1, value, {}});
      });
    if (rest != 0) k.add(loop::Store{buffer, base + (size - rest), 1, value, Affine(rest)});
  }

  const LeafContext &context;
  const graph::Formula &formula;
  const graph::Tensor &tensor;
  KernelBuilder k;
  const int buffer;
  const Layout layout;
  loop::Operand value;
  std::vector<std::pair<std::int64_t, std::int64_t>> margins; // by dimension
  std::vector<Rows> rows;
};

} // namespace

loop::Kernel lowerFill(const LeafContext &context, const graph::Formula &f) {
  return FillLowering(context, f).run();
}

} // namespace netc::schedule
