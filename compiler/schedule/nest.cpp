#include "compiler/schedule/nest.h"

#include "compiler/loop/loop.h"
#include "compiler/support/division.h"

#include <algorithm>
#include <fmt/format.h>

namespace netc::schedule {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;

int Nest::find(const std::string &name) const {
  for (std::size_t p = 0; p < positions.size(); ++p)
    if (positions[p].name == name) return static_cast<int>(p);
  return -1;
}

bool Nest::guarded(int p) const {
  return std::any_of(guards.begin(), guards.end(), [p](const Affine &a) { return a.uses(p); });
}

bool Nest::usedAsNumber(int p) const {
  return guarded(p) || std::any_of(index.begin(), index.end(), [p](const Affine &a) { return a.uses(p); });
}

/// Split indices as numbers: 16 * block + lane.
static Affine asNumber(const Affine &a, const Nest &nest) {
  return a.substitute([&](int p) {
    const int block = nest.positions[p].block;
    return block < 0 ? Affine::var(p) : Affine::var(p) + Affine::var(block, loop::lanes);
  });
}

/// Block and lane of a blocked subscript.
static std::pair<Affine, Affine> blockAndLane(const Tensor &t, const Affine &a, const Nest &nest) {
  if (a.isConstant()) return {a.constant() / loop::lanes, a.constant() % loop::lanes};
  int v = -1;
  if (!a.isVar(&v) || nest.positions[v].block < 0)
    throw UserError(fmt::format("{}: a blocked extent of '{}' must be indexed by one index alone",
                                t.location.str(), t.name));
  return {Affine::var(nest.positions[v].block), Affine::var(v)};
}

Affine address(const Tensor &t, const std::vector<Affine> &map, const Layout &layout, const Nest &nest) {
  const std::vector<int> &blocked = layout.blocked;
  Affine result;
  std::int64_t stride = 1;
  for (std::size_t i = blocked.size(); i-- > 0; stride *= loop::lanes)
    result += blockAndLane(t, map[blocked[i]], nest).second * stride;
  const Affine *sample = nullptr; // blocks of samples are outermost
  for (std::size_t d = t.shape.size(); d-- > 0;) {
    const bool split = std::find(blocked.begin(), blocked.end(), static_cast<int>(d)) != blocked.end();
    if (split && t.shape[d].batch) {
      sample = &map[d];
      continue;
    }
    if (d == 0) stride += layout.padded;
    result += (split ? blockAndLane(t, map[d], nest).first : asNumber(map[d], nest)) * stride;
    stride *= split ? t.shape[d].size / loop::lanes : t.shape[d].size;
  }
  if (sample) result += blockAndLane(t, *sample, nest).first * stride;
  return result;
}

Layout layout(const Graph &g, const std::map<std::string, Placement> &memory, int tensor) {
  const Tensor &t = g.tensors[tensor];
  if (t.shared()) return {t.blocked};
  const auto placed = memory.find(t.name);
  if (placed == memory.end() || placed->second.kind == Placement::Kind::Output) return {};
  if (const int state = placed->second.kind == Placement::Kind::InPlace ? g.find(placed->second.of) : -1; state >= 0)
    return {g.tensors[state].blocked};
  const Layout &l = placed->second.layout;
  if (l.padded > 0 && (t.shape.empty() || std::count(l.blocked.begin(), l.blocked.end(), 0)))
    throw Misfit(placed->second.location, fmt::format("schedule: '{}' has no rows to be padded", t.name));
  for (int d : l.blocked)
    if (d < 0 || d >= static_cast<int>(t.shape.size()) ||
        (!t.shape[d].batch && t.shape[d].size % loop::lanes != 0))
      throw Misfit(placed->second.location, fmt::format("schedule: '{}' cannot be blocked by dimension {}", t.name, d));
  return l;
}

bool batchBlocked(const Tensor &t, const Layout &layout) {
  return !layout.blocked.empty() && t.shape[layout.blocked.back()].batch;
}

std::int64_t elements(const Tensor &t, const Layout &layout) {
  std::int64_t n = 1;
  const bool wholeBlocks = batchBlocked(t, layout);
  for (const graph::Extent &e : t.shape)
    n *= wholeBlocks && e.batch ? (e.size + loop::lanes - 1) / loop::lanes * loop::lanes : e.size;
  return n + (t.shape.empty() ? 0 : t.shape[0].size * layout.padded);
}

/// Gives the indices that run over blocked extents a position for their blocks.
static void splitIndices(Nest &nest, const Tensor &t, const std::vector<Affine> &map,
                         const Layout &layout) {
  for (int d : layout.blocked) {
    int v = -1;
    if (!map[d].isVar(&v) || nest.positions[v].block >= 0) continue;
    if (!nest.positions[v].batch && nest.positions[v].extent % loop::lanes != 0)
      throw UserError(fmt::format("schedule: index '{}' runs over a part of a block of '{}'",
                                  nest.positions[v].name, t.name));
    nest.positions[v].block = nest.count++;
  }
}

/// A batch tensor of the workspace without blocks of samples; or the caller's, which reductions read only where they
/// want rows.
static bool holdsRows(const Graph &g, const std::map<std::string, Placement> &memory, const Formula &f, int tensor) {
  const Tensor &t = g.tensors[tensor];
  if (t.kind == graph::TensorKind::Input) return f.op != graph::Combine::Assign;
  const auto placed = memory.find(t.name);
  if (t.shared() || placed == memory.end() || placed->second.kind == Placement::Kind::Output) return false;
  return std::any_of(t.shape.begin(), t.shape.end(), [](const graph::Extent &e) { return e.batch; }) &&
         !batchBlocked(t, placed->second.layout);
}

Nest makeNest(const Graph &g, const std::map<std::string, Placement> &memory, const Formula &f, int clause) {
  Nest nest;
  nest.formula = &f;
  const Clause &c = f.clauses[clause];
  nest.clause = &c;
  for (const graph::Index &i : c.domain) {
    if (i.extent.batch) {
      if (nest.batch >= 0)
        throw UserError(
            fmt::format("{}: two batch indices in one formula are not supported", f.location.str()));
      nest.batch = static_cast<int>(nest.positions.size());
    }
    nest.positions.push_back({i.name, i.extent.size, i.extent.batch, false});
  }
  for (int p : c.reduction())
    nest.positions[p].reduction = true;
  nest.count = static_cast<int>(nest.positions.size());
  nest.rows = holdsRows(g, memory, f, f.target);
  splitIndices(nest, g.tensors[f.target], c.out, layout(g, memory, f.target));
  for (const Node &n : c.body.nodes)
    if (n.kind == Node::Kind::Read) {
      nest.rows |= holdsRows(g, memory, f, n.id);
      splitIndices(nest, g.tensors[n.id], n.map, layout(g, memory, n.id));
    }
  for (const Affine &guard : c.guards)
    nest.guards.push_back(asNumber(guard, nest));
  for (const Node &n : c.body.nodes) {
    Access access;
    if (n.kind == Node::Kind::Read)
      access = {n.id, address(g.tensors[n.id], n.map, layout(g, memory, n.id), nest), g.tensors[n.id].kind == graph::TensorKind::Constant};
    nest.reads.push_back(access);
    nest.index.push_back(n.kind == Node::Kind::Index ? asNumber(n.affine, nest) : Affine());
  }
  nest.out = address(g.tensors[f.target], c.out, layout(g, memory, f.target), nest);
  return nest;
}

std::vector<int> samePoints(const Graph &g, const Schedule &s, const Nest &lead, const Nest &other) {
  const auto orderOf = [&](const Nest &nest) {
    const std::string &name = g.tensors[nest.formula->target].name;
    const auto n = std::find_if(s.numeric.begin(), s.numeric.end(), [&](const Numeric &x) { return x.formula == name; });
    return n == s.numeric.end() ? nullptr : &*n;
  };
  const Numeric *a = orderOf(lead), *b = orderOf(other);
  if (!a || !b || a->order.size() != b->order.size() || lead.positions.size() != other.positions.size() ||
      lead.clause->out.size() != other.clause->out.size() || !plainOut(g, *lead.formula, *lead.clause) ||
      !plainOut(g, *other.formula, *other.clause))
    return {};
  std::vector<int> here(other.positions.size(), -1);
  const auto pair = [&](int from, int to) {
    const Position &p = other.positions[from], &q = lead.positions[to];
    if (p.extent != q.extent || p.batch != q.batch || p.reduction != q.reduction || (p.block >= 0 && q.block < 0) ||
        (here[from] >= 0 && here[from] != to))
      return false;
    here[from] = to;
    return true;
  };
  for (std::size_t d = 0; d < lead.clause->out.size(); ++d) {
    int to = -1, from = -1;
    if (!lead.clause->out[d].isVar(&to) || !other.clause->out[d].isVar(&from) || !pair(from, to)) return {};
  }
  for (std::size_t i = 0; i < a->order.size(); ++i)
    if (a->order[i].by != b->order[i].by || !pair(other.find(b->order[i].index), lead.find(a->order[i].index)))
      return {};
  if (std::count(here.begin(), here.end(), -1) > 0) return {};
  if (a->lanes.empty() != b->lanes.empty() ||
      (!a->lanes.empty() && here[other.find(b->lanes)] != lead.find(a->lanes)))
    return {};
  std::vector<Affine> guards;
  for (const Affine &guard : other.clause->guards)
    guards.push_back(guard.substitute([&](int p) { return Affine::var(here[p]); }));
  return guards == lead.clause->guards ? here : std::vector<int>{};
}

namespace {

/// What counts the elements of a group, outermost first: its indices, or their blocks, and then the 16 of each block, as they lie
/// in the result.
struct Digit {
  int variable;
  std::int64_t extent;
};

std::vector<Digit> digits(const Nest &nest, const std::vector<int> &group) {
  std::vector<Digit> list, inBlocks;
  for (int p : group) {
    const Position &q = nest.positions[p];
    list.push_back(q.block < 0 ? Digit{p, q.extent} : Digit{q.block, q.extent / loop::lanes});
    if (q.block >= 0) inBlocks.push_back({p, loop::lanes});
  }
  std::stable_sort(inBlocks.begin(), inBlocks.end(), [&](const Digit &a, const Digit &b) {
    return nest.out.coefficient(a.variable) > nest.out.coefficient(b.variable);
  });
  list.insert(list.end(), inBlocks.begin(), inBlocks.end());
  std::erase_if(list, [](const Digit &d) { return d.extent == 1; });
  return list;
}

} // namespace

bool canCollapse(const Nest &nest, const std::vector<int> &group) {
  for (int p : group)
    if (nest.positions[p].batch || nest.positions[p].reduction || nest.usedAsNumber(p)) return false;
  const std::vector<Digit> all = digits(nest, group);
  const auto contiguous = [&](const Affine &a) {
    std::int64_t stride = all.empty() ? 0 : a.coefficient(all.back().variable);
    for (auto d = all.rbegin(); d != all.rend(); stride *= d->extent, ++d)
      if (a.coefficient(d->variable) != stride) return false;
    return true;
  };
  return contiguous(nest.out) &&
         std::all_of(nest.reads.begin(), nest.reads.end(), [&](const Access &r) { return r.tensor < 0 || contiguous(r.address); });
}

void collapse(Nest &nest, const std::vector<int> &group) {
  const std::vector<Digit> all = digits(nest, group);
  std::int64_t extent = 1;
  for (const Digit &d : all)
    extent *= d.extent;
  const auto merge = [&](Affine &a) {
    const std::int64_t stride = all.empty() ? 0 : a.coefficient(all.back().variable); // of the innermost is that of the merged one
    for (int p : group) {
      a = a.substitute(p, Affine());
      if (nest.positions[p].block >= 0) a = a.substitute(nest.positions[p].block, Affine());
    }
    a += Affine::var(group.front(), stride);
  };
  merge(nest.out);
  for (Access &r : nest.reads)
    merge(r.address);
  for (int p : group)
    nest.positions[p].extent = 1, nest.positions[p].block = -1;
  for (std::size_t i = 1; i < group.size(); ++i)
    nest.positions[group[i]].name.clear(); // no loop of its own
  nest.positions[group.front()].extent = extent;
}

/// The values of an expression tell its indices apart, but for those that are known already, when these are digits: sorted by
/// coefficient, each exceeds what all smaller ones add up to.
static bool tellsApart(const Clause &c, const Affine &a, const std::vector<bool> &known) {
  std::vector<std::pair<std::int64_t, std::int64_t>> digits; // coefficient, extent
  for (auto &[p, k] : a.terms())
    if (!known[p]) digits.push_back({k < 0 ? -k : k, c.domain[p].extent.size});
  std::sort(digits.begin(), digits.end());
  std::int64_t span = 0;
  for (auto &[k, extent] : digits) {
    if (k <= span) return false;
    span += k * (extent - 1);
  }
  return true;
}

bool injective(const Nest &nest) {
  const Clause &c = *nest.clause;
  std::vector<bool> known;
  for (const graph::Index &i : c.domain)
    known.push_back(i.extent.size == 1);
  for (int p : c.reduction())
    known[p] = true;
  for (std::size_t round = 0; round < c.out.size(); ++round) // a dimension may tell apart what another needs to be known
    for (const Affine &a : c.out)
      if (tellsApart(c, a, known))
        for (auto &[p, k] : a.terms())
          known[p] = true;
  return std::count(known.begin(), known.end(), false) == 0;
}

bool plainOut(const Graph &g, const Formula &f, const Clause &c) {
  std::vector<bool> seen(c.domain.size());
  for (std::size_t d = 0; d < c.out.size(); ++d) {
    int v = -1;
    if (!c.out[d].isVar(&v) || seen[v] || !(c.domain[v].extent == g.tensors[f.target].shape[d])) return false;
    seen[v] = true;
  }
  return true;
}

double existingPoints(const Clause &c) {
  if (std::any_of(c.guards.begin(), c.guards.end(), [](const Affine &g) { return g.isConstant() && g.constant() < 0; })) return 0;
  std::vector<int> component(c.domain.size());
  for (std::size_t i = 0; i < component.size(); ++i)
    component[i] = static_cast<int>(i);
  for (const Affine &g : c.guards)
    for (auto &[v, k] : g.terms())
      std::replace(component.begin(), component.end(), component[v], component[g.terms().front().first]);
  double points = 1;
  for (std::size_t root = 0; root < c.domain.size(); ++root) {
    std::vector<int> tied;
    for (std::size_t i = 0; i < component.size(); ++i)
      if (component[i] == static_cast<int>(root)) tied.push_back(static_cast<int>(i));
    std::vector<Affine> guards;
    for (const Affine &g : c.guards)
      if (!g.isConstant() && component[g.terms().front().first] == static_cast<int>(root))
        guards.push_back(g);
    const auto extent = [&](int i) { return c.domain[i].extent.size; };
    if (guards.empty()) {
      for (int i : tied)
        points *= static_cast<double>(extent(i));
      continue;
    }
    // Of the longest index, those that the guards leave are an interval for each point of the others.
    std::iter_swap(std::max_element(tied.begin(), tied.end(), [&](int a, int b) { return extent(a) < extent(b); }), tied.end() - 1);
    const int longest = tied.back();
    tied.pop_back();
    std::int64_t box = 1, exist = 0;
    for (int i : tied)
      box *= extent(i);
    for (std::int64_t n = 0; n < box; ++n) {
      std::vector<std::int64_t> at(c.domain.size());
      std::int64_t rest = n;
      for (int i : tied)
        at[i] = rest % extent(i), rest /= extent(i);
      std::int64_t first = 0, last = extent(longest) - 1;
      for (const Affine &g : guards) {
        const std::int64_t k = g.coefficient(longest), others = g.evaluate([&](int v) { return at[v]; });
        if (k > 0) first = std::max(first, ceilDivide(-others, k));
        else if (k < 0) last = std::min(last, floorDivide(others, -k));
        else if (others < 0) last = -1;
      }
      exist += std::max<std::int64_t>(last - first + 1, 0);
    }
    points *= static_cast<double>(exist);
  }
  return points;
}

bool coversAll(const Graph &g, const Formula &f) {
  double elements = 1, points = 0;
  for (const graph::Extent &e : g.tensors[f.target].shape)
    elements *= static_cast<double>(e.size);
  for (std::size_t i = 0; i < f.clauses.size(); ++i) {
    const Clause &c = f.clauses[i];
    const Nest nest = makeNest(g, {}, f, static_cast<int>(i));
    if (!injective(nest)) return false;
    // A window without points takes the `otherwise`; sums and products of nothing are 0 and 1 by themselves.
    if (f.otherwise && !c.guards.empty() && f.op != graph::Combine::Sum && f.op != graph::Combine::Prod)
      return false;
    Clause results = c;
    for (int p : c.reduction()) {
      results.domain[p].extent.size = 1;
      std::erase_if(results.guards, [&](const Affine &guard) { return guard.uses(p); });
    }
    points += existingPoints(results);
  }
  return points == elements;
}

} // namespace netc::schedule
