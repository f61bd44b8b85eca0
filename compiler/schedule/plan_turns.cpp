// Sums over samples that take turns. A sum such as w[p, c] = sum(n, i) x[n, p, c, i] * y[n, p, i], where x and y are much larger than
// what they are made from, would have them go through the memory for all samples. In turns, they are made for as many samples as
// the caches hold and added up before the next; the sums are in the same order as without.
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"
#include "compiler/schedule/fit_memory.h"

#include <algorithm>

namespace netc::schedule {

using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

bool readByOne(const Graph &g, int tensor) {
  return std::count_if(g.formulas.begin(), g.formulas.end(), [&](const Formula &f) { return reads(f, tensor); }) == 1;
}

/// Made sample by sample for one sum alone.
bool canTakeTurns(const Graph &g, const Schedule &s, int tensor) {
  const Formula *made = g.definition(tensor);
  return made && isSwollen(g, tensor) && coversAll(g, *made) && !isRecomputed(*made) && made->clauses.size() == 1 &&
         goesByRows(g, s.memory, *made) && readByOne(g, tensor);
}

/// It adds up samples that lie one by one.
bool addsRows(const Graph &g, const Schedule &s, const Formula &f) {
  if (f.clauses.size() != 1 || !isContraction(f, f.clauses[0]) || !coversAll(g, f)) return false;
  const Nest nest = makeNest(g, s.memory, f, 0);
  return nest.batch >= 0 && nest.positions[nest.batch].reduction && nest.positions[nest.batch].block < 0 && injective(nest);
}

} // namespace

Leaf fillOf(const std::string &tensor) {
  Leaf leaf;
  leaf.formula = tensor;
  leaf.fill = true;
  return leaf;
}

bool isSwollen(const Graph &g, int tensor) {
  std::int64_t sources = 0;
  for (const graph::Clause &c : g.definition(tensor)->clauses)
    for (const Node &n : c.body.nodes)
      if (n.kind == Node::Kind::Read) sources += elements(g.tensors[n.id]);
  return sources > 0 && static_cast<double>(elements(g.tensors[tensor])) > swollenBy * static_cast<double>(sources);
}

bool goesByRows(const Graph &g, const std::map<std::string, Placement> &memory, const Formula &f) {
  for (std::size_t i = 0; i < f.clauses.size(); ++i) {
    const Nest nest = makeNest(g, memory, f, static_cast<int>(i));
    if (nest.batch < 0 || nest.positions[nest.batch].reduction || nest.positions[nest.batch].block >= 0) return false;
    const auto own = [&](int tensor, const std::vector<Affine> &map) {
      const std::vector<graph::Extent> &shape = g.tensors[tensor].shape;
      for (std::size_t d = 0; d < shape.size(); ++d)
        if (shape[d].batch && map[d] != Affine::var(nest.batch)) return false;
      return true;
    };
    if (!own(f.target, f.clauses[i].out)) return false;
    for (const Node &n : f.clauses[i].body.nodes)
      if (n.kind == Node::Kind::Read && !own(n.id, n.map)) return false;
  }
  return g.tensors[f.target].shape[0].batch;
}

std::vector<Turns> findTurns(const Graph &g, const Schedule &s, const Target &target) {
  std::vector<Turns> all;
  for (const Formula &f : g.formulas) {
    if (!addsRows(g, s, f)) continue;
    Turns t{f.target, {}, 1};
    double bytes = 0; // of a sample
    for (const Node &n : f.clauses[0].body.nodes) {
      if (n.kind != Node::Kind::Read) continue;
      t.sources.push_back(n.id);
      bytes += static_cast<double>(elements(g.tensors[n.id]) * byteSize(g.tensors[n.id].dtype)) / static_cast<double>(g.batch);
    }
    if (!std::all_of(t.sources.begin(), t.sources.end(), [&](int source) { return canTakeTurns(g, s, source); })) continue;
    // The sums are read and written once more in each turn, and the threads wait for each other.
    const auto sums = static_cast<double>(elements(g.tensors[f.target]) * byteSize(g.tensors[f.target].dtype));
    const auto l2 = static_cast<double>(target.l2);
    const auto turn = [&] { return static_cast<double>(t.samples) * bytes; };
    while (2 * t.samples < loop::lanes && turn() < std::max(sums, l2) && 2 * turn() <= swollenShare * l2)
      t.samples *= 2;
    if (t.samples < g.batch) all.push_back(std::move(t));
  }
  return all;
}

Group planTurns(const Graph &g, const Schedule &s, const Target &target, const Turns &t) {
  Group group{t.samples, true, {fillOf(g.tensors[t.sum].name)}};
  std::vector<int> tensors = t.sources;
  tensors.push_back(t.sum);
  for (int tensor : tensors)
    group.leaves.push_back(inTurns(g, planLeaf(g, s, target, *g.definition(tensor), 0).leaf, t.samples));
  return group;
}

/// Steps divide the samples of a turn; one over all of them is none. What threads would share by samples, they share along the lanes.
Leaf inTurns(const Graph &g, Leaf leaf, std::int64_t samples) {
  const std::vector<graph::Index> &domain = g.definition(g.find(leaf.formula))->clauses[leaf.clause].domain;
  const auto isBatch = [&](const std::string &index) {
    return std::any_of(domain.begin(), domain.end(), [&](const graph::Index &i) { return i.extent.batch && i.name == index; });
  };
  const auto divides = [&](std::int64_t size) {
    while (samples % size != 0)
      --size;
    return size;
  };
  for (Step &s : leaf.order)
    if (isBatch(s.index)) s.by = divides(s.by);
  for (auto &[name, size] : leaf.tile)
    if (isBatch(name)) size = divides(size);
  const auto last = std::find_if(leaf.order.rbegin(), leaf.order.rend(), [&](const Step &s) { return isBatch(s.index); }).base() - 1;
  const auto isNone = [&](const Step &s) { return isBatch(s.index) && (s.by == 1 || s.by == samples); };
  leaf.order.erase(std::remove_if(leaf.order.begin(), last, isNone), last);
  if (!isBatch(leaf.parallel)) return leaf;
  const auto lanes = std::find(leaf.order.begin(), leaf.order.end(), Step{leaf.vector});
  if (lanes == leaf.order.end()) return leaf;
  leaf.parallel = leaf.vector;
  std::rotate(leaf.order.begin(), lanes, lanes + 1);
  return leaf;
}

} // namespace netc::schedule
