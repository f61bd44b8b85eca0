#include "compiler/schedule/lower.h"

#include "compiler/schedule/liveness.h"
#include "compiler/schedule/lower_leaf.h"

#include "compiler/graph/text.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/verifier.h"
#include "compiler/schedule/one_sample.h"
#include "compiler/schedule/plan.h"
#include "compiler/support/in_parallel.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace netc::schedule {

using graph::Graph;
using graph::Tensor;
using graph::TensorKind;

namespace {

const Placement &placement(const Schedule &s, const Tensor &t) {
  const auto p = s.memory.find(t.name);
  if (p == s.memory.end()) throw Misfit(s.location, fmt::format("schedule: no place in memory for '{}'", t.name));
  return p->second;
}

/// Only leaves that take turns together touch it.
bool staysInTurns(const FormulaIndex &formulas, const Schedule &s, int tensor) {
  const Group *own = nullptr;
  for (const Group &group : s.run)
    for (const Leaf &leaf : group.leaves) {
      const std::vector<int> made = formulas.computedBy(leaf);
      if (std::none_of(made.begin(), made.end(), [&](int t) { return t == tensor || reads(*formulas.definition(t), tensor); })) continue;
      if (!group.turns || (own && own != &group)) return false;
      own = &group;
    }
  return own;
}

/// The samples of one iteration of a tile, or of a turn, where memory holds only these; else 0.
std::int64_t samplesHeld(const Graph &g, const FormulaIndex &formulas, const Schedule &s, const Tensor &t) {
  if (t.kind != TensorKind::Local) return 0;
  const Placement &p = placement(s, t);
  const int tensor = static_cast<int>(&t - &g.tensors[0]);
  const bool ofTurn = p.kind == Placement::Kind::Turn;
  if (!ofTurn && p.kind != Placement::Kind::Part) return 0;
  const std::int64_t samples = samplesOfTile(g, s, tensor);
  const bool rows = !t.shape.empty() && t.shape[0].batch && !batchBlocked(t, p.layout);
  if (samples == 0 || !rows || (ofTurn && !staysInTurns(formulas, s, tensor)))
    throw Misfit(p.location, fmt::format("schedule: '{}' lies in {}, but no {} makes it sample by sample", t.name,
                                         ofTurn ? "turns" : "parts", ofTurn ? "turn" : "tile"));
  return samples;
}

/// One buffer for each tensor of the entry that is kept anywhere.
Buffers makeBuffers(const Graph &g, const FormulaIndex &formulas, const Schedule &s, const std::map<std::string, std::int64_t> &store) {
  Buffers buffers;
  int inputs = 0, targets = 0; // slots: the inputs, then the targets
  for (const Tensor &t : g.tensors)
    targets += t.kind == TensorKind::Input;
  for (const Tensor &t : g.tensors) {
    loop::Buffer b;
    b.name = t.name;
    b.type = t.dtype;
    if (const auto placed = s.memory.find(t.name); placed != s.memory.end()) b.location = placed->second.location;
    buffers.of.push_back(static_cast<int>(buffers.list.size()));
    const Layout layout = schedule::layout(g, s.memory, static_cast<int>(&t - &g.tensors[0]));
    buffers.wholeBlocks.push_back(batchBlocked(t, layout));
    buffers.parts.push_back(false);
    switch (t.kind) {
    case TensorKind::Input:
      b.space = loop::Space::Input, b.place = inputs++;
      break;
    case TensorKind::Target:
      b.space = loop::Space::Input, b.place = targets++;
      break;
    case TensorKind::Param:
    case TensorKind::State:
      b.space = loop::Space::Store, b.place = store.at(t.name);
      break;
    case TensorKind::Constant:
      b.space = loop::Space::Constant, b.values = t.values;
      break;
    case TensorKind::Gradient:
      internalError(fmt::format("'{}' was not differentiated", t.name));
    case TensorKind::Local: {
      const Placement &p = placement(s, t);
      b.place = p.offset;
      if (p.kind == Placement::Kind::Output) b.space = loop::Space::Output;
      if (p.kind == Placement::Kind::Part) b.space = loop::Space::Part;
      if (p.kind == Placement::Kind::InPlace) {
        const auto at = store.find(p.of);
        if (at == store.end())
          throw Misfit(p.location, fmt::format("schedule: '{}' takes the place of '{}', which is not in the store", t.name, p.of));
        b.space = loop::Space::Store, b.place = at->second;
      }
      if (p.kind == Placement::Kind::Register) buffers.of.back() = -1;
    }
    }
    if (buffers.of.back() < 0) continue;
    b.size = elements(t, layout);
    if (const std::int64_t samples = samplesHeld(g, formulas, s, t)) {
      b.size = b.size / t.shape[0].size * samples;
      buffers.parts.back() = true;
    }
    buffers.list.push_back(std::move(b));
  }
  return buffers;
}

/// Two operations a point for sums of products; the count that benchmarks quote.
double nominalFlops(const graph::Formula &f, const Leaf &leaf) {
  if (leaf.fill || f.op != graph::Combine::Sum) return 0;
  const graph::Clause &c = f.clauses[leaf.clause];
  const graph::Node &root = c.body.nodes[c.body.root];
  if (root.kind != graph::Node::Kind::Call || root.fn != Fn::Mul || c.reduction().empty()) return 0;
  return 2 * existingPoints(c);
}

/// Each clause of each formula is computed once, and what clauses leave open is filled first.
void checkComplete(const Graph &g, const FormulaIndex &formulas, const Schedule &s) {
  std::map<std::pair<std::string, int>, int> leaves;
  std::map<std::string, int> fills;
  std::map<std::string, Location> last; // leaf of a formula
  std::set<std::string> interrupted;
  for (const Group &group : s.run)
    for (const Leaf &leaf : group.leaves) {
      if (leaf.fill)
        fills[leaf.formula] +=
            leaves.lower_bound({leaf.formula, 0}) == leaves.lower_bound({leaf.formula, 1 << 30});
      else
        ++leaves[{leaf.formula, leaf.clause}], last[leaf.formula] = leaf.location;
      const graph::Formula *f = formulas.definition(leaf.formula);
      if ((f && interruptsReduction(*f, leaf)) || addsInTurns(g, group, leaf)) interrupted.insert(leaf.formula);
      for (const std::string &name : leaf.with)
        ++leaves[{name, 0}];
      for (const std::string &name : leaf.then)
        ++leaves[{name, 0}];
    }
  for (const graph::Formula &f : g.formulas) {
    const std::string &name = g.tensors[f.target].name;
    for (std::size_t c = 0; c < f.clauses.size(); ++c) {
      const int times = leaves[{name, static_cast<int>(c)}];
      if (times == 0) throw Misfit(s.location, fmt::format("schedule: {}: no leaf computes '{}'", s.entry, name));
      if (times > 1)
        throw Misfit(last[name], fmt::format("schedule: {}: '{}' is computed {} times", s.entry, name, times));
    }
    if ((!coversAll(g, f) || interrupted.count(name)) && fills[name] != 1)
      throw Misfit(
          last[name], fmt::format("schedule: {}: '{}' must be filled once, before its first leaf", s.entry, name));
  }
}

loop::Kernel lower(const LeafContext &context, const Leaf &leaf) {
  const graph::Formula *formula = context.formulas.definition(leaf.formula);
  if (!formula) throw UserError(fmt::format("schedule: no formula '{}'", leaf.formula));
  if (leaf.fill && context.buffers.of[formula->target] < 0)
    throw UserError(fmt::format("schedule: '{}' is filled, but it is a register and never stored", leaf.formula));
  loop::Kernel kernel = leaf.fill ? lowerFill(context, *formula) : lowerLeaf(context, leaf);
  kernel.flops = nominalFlops(*formula, leaf);
  kernel.location = leaf.location;
  return kernel;
}

/// Whatever does not fit is said at the line of its leaf.
loop::Kernel lowerAtItsPlace(const LeafContext &context, const Leaf &leaf) {
  try {
    return lower(context, leaf);
  } catch (const UserError &e) {
    throw Misfit(leaf.location, e.what());
  }
}

} // namespace

loop::Entry lower(const Graph &g, const Schedule &s, const std::map<std::string, std::int64_t> &store) {
  const FormulaIndex formulas(g);
  checkComplete(g, formulas, s);
  loop::Entry entry;
  entry.name = g.name;
  entry.location = s.location;
  entry.every = g.every;
  entry.plan = g.plan;
  entry.scalars = g.scalars;
  const Buffers buffers = makeBuffers(g, formulas, s, store);
  entry.buffers = buffers.list;
  for (const loop::Buffer &b : entry.buffers) {
    if (b.space != loop::Space::Workspace && b.space != loop::Space::Part) continue;
    std::int64_t &bytes = b.space == loop::Space::Part ? entry.partBytes : entry.workspaceBytes;
    bytes = std::max(bytes, (b.place + b.size * byteSize(b.type) + 63) / 64 * 64);
  }
  entry.workspaceBytes += loop::parts * entry.partBytes;
  for (const graph::Result &r : g.results) {
    const Tensor &t = g.tensors[r.tensor];
    loop::Result result;
    result.kind = static_cast<loop::Result::Kind>(r.kind);
    result.name = r.name;
    result.type = t.dtype;
    for (const graph::Extent &e : t.shape)
      result.shape.push_back(e.size);
    result.batch = !t.shape.empty() && t.shape[0].batch;
    entry.results.push_back(std::move(result));
  }
  entry.commit = -1;
  for (std::size_t i = 0; i < s.run.size(); ++i) {
    if (static_cast<int>(i) == s.commit) entry.commit = static_cast<int>(entry.kernels.size());
    const Group &group = s.run[i];
    const LeafContext context{g, formulas, s, buffers, group.tile, group.turns};
    for (const Leaf &leaf : group.leaves) {
      entry.kernels.push_back(lowerAtItsPlace(context, leaf));
      entry.kernels.back().depthFirst = group.tile > 0 && &leaf != &group.leaves.back();
      if (group.turns) entry.kernels.back().turns = (g.batch + group.tile - 1) / group.tile;
    }
  }
  if (entry.commit < 0) entry.commit = static_cast<int>(entry.kernels.size());
  return entry;
}

loop::Kernel lowerLeaf(const Graph &g, const Schedule &s, const std::map<std::string, std::int64_t> &store, std::size_t group,
                       const Leaf &leaf) {
  const FormulaIndex formulas(g);
  const Buffers buffers = makeBuffers(g, formulas, s, store);
  return lowerAtItsPlace({g, formulas, s, buffers, s.run[group].tile, s.run[group].turns}, leaf);
}

loop::Program programInterface(const graph::Module &m, const std::string &target) {
  loop::Program p;
  p.name = m.name;
  p.batch = m.batch;
  p.target = target;
  if (m.entries.empty()) return p;
  for (const Tensor &t : m.entries[0].tensors) {
    if (!t.shared() || t.kind == TensorKind::Constant) continue;
    loop::Tensor out;
    out.name = t.name;
    out.type = t.dtype;
    for (const graph::Extent &e : t.shape)
      out.shape.push_back(e.size);
    out.batch = !t.shape.empty() && t.shape[0].batch;
    out.classes = t.classes;
    out.classNames = t.classNames;
    out.data = t.data;
    out.role = t.kind == TensorKind::Input    ? loop::Tensor::Role::Input
               : t.kind == TensorKind::Target ? loop::Tensor::Role::Target
               : t.kind == TensorKind::Param  ? loop::Tensor::Role::Param
                                              : loop::Tensor::Role::State;
    if (t.inStore()) {
      out.init = static_cast<loop::Tensor::Init>(t.init.kind);
      out.initA = t.init.a;
      out.initB = t.init.b;
      out.store = p.storeBytes;
      out.blocked = t.blocked;
      std::int64_t bytes = byteSize(t.dtype);
      for (std::int64_t e : out.shape)
        bytes *= e;
      p.storeBytes += (bytes + 63) / 64 * 64;
    }
    p.tensors.push_back(std::move(out));
  }
  std::stable_sort(p.tensors.begin(), p.tensors.end(),
                   [](const loop::Tensor &a, const loop::Tensor &b) { return a.role < b.role; });
  return p;
}

std::map<std::string, std::int64_t> storeOffsets(const loop::Program &p) {
  std::map<std::string, std::int64_t> offsets;
  for (const loop::Tensor &t : p.tensors)
    if (t.role == loop::Tensor::Role::Param || t.role == loop::Tensor::Role::State) offsets[t.name] = t.store;
  return offsets;
}

namespace {

/// Every name that a given schedule speaks of is one of the module.
void checkNames(const graph::Module &m, const std::vector<Schedule> &given) {
  std::vector<std::string> entries;
  for (const Graph &g : m.entries)
    entries.push_back(g.name);
  std::set<std::string> seen;
  for (const Schedule &s : given) {
    const auto g = std::find_if(m.entries.begin(), m.entries.end(), [&](const Graph &e) { return e.name == s.entry; });
    if (g == m.entries.end())
      throw Misfit(s.location, fmt::format("schedule: there is no entry '{}'{}", s.entry, didYouMean(s.entry, entries)));
    if (!seen.insert(s.entry).second) throw Misfit(s.location, fmt::format("schedule: entry '{}' has a schedule already", s.entry));
    try {
      findTarget(s.target);
    } catch (const UserError &e) {
      throw Misfit(s.location, fmt::format("schedule: {}", e.what()));
    }
    std::vector<std::string> reductions, tensors;
    for (const graph::Formula &f : g->formulas)
      if (f.op != graph::Combine::Assign) reductions.push_back(g->tensors[static_cast<std::size_t>(f.target)].name);
    for (const Tensor &t : g->tensors)
      if (t.kind == TensorKind::Local) tensors.push_back(t.name);
    const auto known = [](const std::vector<std::string> &names, const std::string &name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const Numeric &n : s.numeric)
      if (!known(reductions, n.formula))
        throw Misfit(n.location, fmt::format("schedule: {}: there is no reduction '{}'{}", s.entry, n.formula,
                                             didYouMean(n.formula, reductions)));
    for (const auto &[name, place] : s.memory)
      if (!known(tensors, name))
        throw Misfit(place.location, fmt::format("schedule: {}: there is no tensor '{}' to be placed{}", s.entry, name,
                                                 didYouMean(name, tensors)));
  }
}

} // namespace

std::vector<Schedule> planAll(const graph::Module &m, const Target &target, const std::vector<Schedule> &given) {
  checkNames(m, given);
  std::vector<Schedule> all(m.entries.size());
  inParallel(all.size(), [&](std::size_t i) {
    const Graph &g = m.entries[i];
    const auto known = std::find_if(given.begin(), given.end(), [&](const Schedule &s) { return s.entry == g.name; });
    all[i] = known != given.end() ? *known : plan(g, target);
  });
  return all;
}

loop::Program compile(graph::Module m, const Target &target, const std::vector<Schedule> &schedules, bool optimize,
                      const MemoryLimit &limit) {
  fitMemory(m, target, limit);
  loop::Program program = programInterface(m, target.name);
  const auto offsets = storeOffsets(program);
  const std::vector<Schedule> all = planAll(m, target, schedules);
  program.entries.resize(m.entries.size());
  inParallel(m.entries.size(), [&](std::size_t i) {
    loop::Entry &entry = program.entries[i];
    entry = lower(m.entries[i], all[i], offsets);
    if (m.entries[i].batch < m.batch) settleOneSample(entry, m.entries[i], m.batch);
  });
  if (optimize) loop::optimize(program);
  inParallel(m.entries.size(), [&](std::size_t i) {
    const loop::Entry &entry = program.entries[i];
    if (limit.most > 0 && limit.outside + entry.workspaceBytes > limit.most)
      throw Misfit(all[i].location, fmt::format("schedule: {} takes {} bytes of memory, --max-memory gives {}", entry.name,
                                                limit.outside + entry.workspaceBytes, limit.most));
    const auto violations = checkMemory(entry, m.batch);
    if (!violations.empty()) {
      const MemoryViolation &first = violations.front();
      if (!schedules.empty()) throw Misfit(first.at, "schedule: " + first.what);
      internalError("memory plan: " + first.what);
    }
  });
  Diagnostics diag;
  if (!loop::verify(program, diag) && !schedules.empty())
    throw Misfit(diag.entries().front().location, "schedule: " + diag.entries().front().message);
  if (diag.hasErrors()) internalError("lowering broke an invariant of the loop IR:\n" + diag.str());
  return program;
}

} // namespace netc::schedule
