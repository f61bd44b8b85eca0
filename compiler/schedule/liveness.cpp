#include "compiler/schedule/liveness.h"

#include "compiler/loop/loop.h"
#include "compiler/schedule/formula_index.h"
#include "compiler/schedule/nest.h"

#include <algorithm>

namespace netc::schedule {

using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;

namespace {

bool inWorkspace(const Schedule &s, const std::string &name) {
  const auto place = s.memory.find(name);
  return place != s.memory.end() && inArena(place->second);
}

/// A tensor that one kernel touches.
struct Use {
  int kernel = -1;
  bool sampleBySample = true; // in all accesses: a block of samples touches its own part only
  bool beforeWrites = true;   // every read is of the element that the formula writes, and no reduction reads
  int lastReader = -1;        // in the order in which the kernel computes its formulas
};

struct Uses {
  std::vector<Use> list; // by kernel
  const Use &first() const { return list.front(); }
  const Use &last() const { return list.back(); }
};

class LivenessAnalysis {
 public:
  LivenessAnalysis(const Graph &g, const Schedule &s) : g(g), s(s), formulas(g), uses(g.tensors.size()) {}

  Liveness run() {
    for (const Group &group : s.run)
      for (const Leaf &leaf : group.leaves) {
        const int kernel = static_cast<int>(result.kernels.size());
        const bool goesOn = group.tile > 0 && &leaf != &group.leaves.front();
        result.kernels.push_back(&leaf);
        result.time.push_back(goesOn ? result.time.back() : kernel);
        tile.push_back(group.tile);
        touchAll(leaf, kernel);
      }
    std::vector<int> order;
    for (std::size_t t = 0; t < g.tensors.size(); ++t)
      if (inWorkspace(s, g.tensors[t].name) && !uses[t].list.empty()) order.push_back(static_cast<int>(t));
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return uses[a].first().kernel < uses[b].first().kernel; });
    for (int t : order)
      findPlace(t);
    return std::move(result);
  }

 private:
  void touchAll(const Leaf &leaf, int kernel) {
    const std::vector<int> targets = formulas.computedBy(leaf);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const Formula &f = *formulas.definition(targets[i]);
      for (const Clause &c : f.clauses) {
        Use &made = touch(f.target, kernel);
        made.sampleBySample &= !c.out.empty() && isSample(c, c.out[0]);
        made.beforeWrites &= f.op == Combine::Assign && f.clauses.size() == 1 && c.guards.empty();
        if (leaf.fill) continue;
        for (const Node &n : c.body.nodes) {
          if (n.kind != Node::Kind::Read) continue;
          Use &read = touch(n.id, kernel);
          read.sampleBySample &= !n.map.empty() && isSample(c, n.map[0]);
          read.beforeWrites &= f.op == Combine::Assign && n.map == c.out;
          read.lastReader = static_cast<int>(i);
        }
      }
    }
  }
  Use &touch(int tensor, int kernel) {
    std::vector<Use> &list = uses[tensor].list;
    if (list.empty() || list.back().kernel != kernel) list.push_back({kernel});
    return list.back();
  }
  static bool isSample(const Clause &c, const Affine &a) {
    int v = -1;
    return a.isVar(&v) && c.domain[v].extent.batch;
  }

  /// Holds the place of a tensor that ends where this one begins, or one of its own.
  void findPlace(int tensor) {
    for (Place &p : result.places)
      if (takesOver(p.lives.back().tensor, tensor)) {
        p.lives.push_back(life(tensor));
        p.last = result.time[p.lives.back().last];
        return;
      }
    const Life l = life(tensor);
    result.places.push_back({{l}, workspaceBytes(g, s, tensor), result.time[l.first], result.time[l.last]});
  }
  Life life(int tensor) const { return {tensor, uses[tensor].first().kernel, uses[tensor].last().kernel}; }

  bool takesOver(int before, int after) const {
    const Use &last = uses[before].last(), &first = uses[after].first();
    const int time = result.time[last.kernel];
    if (time != result.time[first.kernel] || last.kernel > first.kernel) return false;
    if (tile[last.kernel] > 0 && tile[last.kernel] != loop::lanes) return false; // rows of samples are not told apart
    if (tile[last.kernel] > 0 && !(touchedSampleBySample(before, time) && touchedSampleBySample(after, time))) return false;
    if (last.kernel < first.kernel) return sameBlocks(before, after);
    return uses[before].first().kernel < last.kernel && last.beforeWrites && first.beforeWrites && sameElements(before, after) &&
           last.lastReader <= position(after, first.kernel);
  }

  bool touchedSampleBySample(int tensor, int time) const {
    return std::all_of(uses[tensor].list.begin(), uses[tensor].list.end(),
                       [&](const Use &u) { return result.time[u.kernel] != time || u.sampleBySample; });
  }
  int position(int tensor, int kernel) const {
    const std::vector<int> list = formulas.computedBy(*result.kernels[kernel]);
    return static_cast<int>(std::find(list.begin(), list.end(), tensor) - list.begin());
  }

  const Layout &layout(int tensor) const { return s.memory.at(g.tensors[tensor].name).layout; }
  /// Blocks of samples of equal size, outermost.
  bool sameBlocks(int a, int b) const {
    return batchBlocked(g.tensors[a], layout(a)) && batchBlocked(g.tensors[b], layout(b)) &&
           workspaceBytes(g, s, a) == workspaceBytes(g, s, b);
  }
  bool sameElements(int a, int b) const {
    const Tensor &x = g.tensors[a], &y = g.tensors[b];
    return x.shape == y.shape && byteSize(x.dtype) == byteSize(y.dtype) && layout(a) == layout(b);
  }

  const Graph &g;
  const Schedule &s;
  const FormulaIndex formulas;
  std::vector<Uses> uses;         // by tensor
  std::vector<std::int64_t> tile; // of the group of each kernel
  Liveness result;
};

} // namespace

bool inArena(const Placement &p) { return p.kind == Placement::Kind::Workspace || p.kind == Placement::Kind::Turn; }

std::int64_t samplesOfTile(const Graph &g, const Schedule &s, int tensor) {
  const std::string &name = g.tensors[tensor].name;
  const auto among = [&](const std::vector<std::string> &names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  for (const Group &group : s.run)
    if (group.tile > 0 && group.tile < loop::lanes)
      for (const Leaf &leaf : group.leaves)
        if (leaf.formula == name || among(leaf.with) || among(leaf.then)) return group.tile;
  return 0;
}

std::int64_t workspaceBytes(const Graph &g, const Schedule &s, int tensor) {
  const Tensor &t = g.tensors[tensor];
  const Placement &place = s.memory.at(t.name);
  std::int64_t bytes = byteSize(t.dtype) * elements(t, place.layout);
  const bool someSamples = place.kind == Placement::Kind::Part || place.kind == Placement::Kind::Turn;
  if (someSamples) bytes = bytes / t.shape[0].size * samplesOfTile(g, s, tensor);
  return (bytes + 63) / 64 * 64;
}

std::int64_t Liveness::at(int when) const {
  std::int64_t bytes = 0;
  for (const Place &p : places)
    if (p.first <= when && when <= p.last) bytes += p.bytes;
  return bytes;
}

int Liveness::peak() const {
  std::vector<std::int64_t> change(kernels.size() + 1, 0); // of the bytes alive, when a kernel begins
  for (const Place &p : places)
    change[p.first] += p.bytes, change[p.last + 1] -= p.bytes;
  int best = 0;
  std::int64_t most = -1, bytes = 0;
  for (std::size_t k = 0; k < kernels.size(); ++k)
    if (bytes += change[k]; bytes > most && time[k] == static_cast<int>(k)) most = bytes, best = static_cast<int>(k);
  return best;
}

Liveness liveness(const Graph &g, const Schedule &s) { return LivenessAnalysis(g, s).run(); }

} // namespace netc::schedule
