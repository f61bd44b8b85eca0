// The arena: each tensor of a step gets an offset such that tensors that live at the same time do not overlap.
#include "compiler/schedule/formula_index.h"
#include "compiler/schedule/liveness.h"
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

namespace netc::schedule {

using graph::Graph;
using graph::Node;

namespace {

bool overlapInTime(const Place &a, const Place &b) { return a.first <= b.last && b.first <= a.last; }

/// Gives each place, in this order, the lowest offset at which it meets no place before it. Returns the end of the highest.
std::int64_t assignOffsets(const std::vector<Place *> &order) {
  std::int64_t end = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    Place &place = *order[i];
    std::vector<const Place *> neighbours;
    for (std::size_t j = 0; j < i; ++j)
      if (overlapInTime(place, *order[j])) neighbours.push_back(order[j]);
    std::sort(neighbours.begin(), neighbours.end(), [](const Place *a, const Place *b) { return a->offset < b->offset; });
    place.offset = 0;
    for (const Place *n : neighbours) {
      if (place.offset + place.bytes <= n->offset) break;
      place.offset = std::max(place.offset, n->offset + n->bytes);
    }
    end = std::max(end, place.offset + place.bytes);
  }
  return end;
}

constexpr int mostRounds = 96; // of each search; one costs as much as a plan
constexpr double closeEnough = 1.005;

/// Four orders to begin with: by size, by size and time, by time, by the beginning. In each, whatever ended highest is placed
/// before all others, or before half of those that stood before it, and so on. The lowest plan is kept.
void searchOffsets(Liveness &alive) {
  const auto enough = static_cast<std::int64_t>(closeEnough * static_cast<double>(alive.bound()));
  const auto time = [](const Place *p) { return p->last - p->first + 1; };
  const std::function<std::int64_t(const Place *)> keys[] = {
      [](const Place *p) { return p->bytes; }, [&](const Place *p) { return p->bytes * time(p); }, [&](const Place *p) { return time(p); },
      [](const Place *p) { return -p->first; }};
  std::vector<Place *> places;
  for (Place &p : alive.places)
    places.push_back(&p);
  std::vector<Place *> best = places;
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const auto &key : keys)
    for (const bool halfway : {false, true}) {
      std::vector<Place *> order = places;
      std::stable_sort(order.begin(), order.end(), [&](const Place *a, const Place *b) { return key(a) > key(b); });
      for (int round = 0; round < mostRounds && least > enough; ++round) {
        if (const std::int64_t end = assignOffsets(order); end < least) least = end, best = order;
        const auto highest = std::max_element(order.begin(), order.end(),
                                              [](const Place *a, const Place *b) { return a->offset + a->bytes < b->offset + b->bytes; });
        if (highest == order.end()) break;
        std::rotate(halfway ? order.begin() + (highest - order.begin()) / 2 : order.begin(), highest, highest + 1);
      }
    }
  assignOffsets(best);
}

/// Tensors that only the leaf that makes them uses stay in registers.
void keepInRegisters(const FormulaIndex &formulas, Schedule &s) {
  std::map<std::string, const Leaf *> leafOf;
  std::map<int, std::set<const Leaf *>> users;
  for (const Group &group : s.run)
    for (const Leaf &leaf : group.leaves) {
      std::vector<std::string> names = leaf.then;
      names.push_back(leaf.formula);
      names.insert(names.end(), leaf.with.begin(), leaf.with.end());
      for (const std::string &name : names) {
        leafOf[name] = &leaf;
        for (const graph::Clause &c : formulas.definition(name)->clauses)
          for (const Node &n : c.body.nodes)
            if (n.kind == Node::Kind::Read) users[n.id].insert(&leaf);
      }
    }
  for (auto &[name, place] : s.memory) {
    if (place.kind != Placement::Kind::Workspace || !leafOf.count(name)) continue;
    const auto &by = users[formulas.tensor(name)];
    if (by.size() == 1 && *by.begin() == leafOf[name]) place.kind = Placement::Kind::Register;
  }
}

/// What only the leaves of one tile touch, sample by sample, need not be kept for all samples.
class Parts {
 public:
  Parts(const Graph &g, const FormulaIndex &formulas, Schedule &s) : g(g), formulas(formulas), s(s) {
    for (const Group &group : s.run)
      for (const Leaf &leaf : group.leaves)
        touchAll(group, leaf);
  }

  void place() {
    std::vector<Place> places;
    for (auto &[tensor, use] : uses) {
      Placement &p = s.memory.at(g.tensors[tensor].name);
      if (p.kind != Placement::Kind::Workspace || !use.sampleBySample || !use.group) continue;
      const std::int64_t tile = use.group->tile, samples = g.tensors[tensor].shape[0].size;
      if (tile == 0 || tile >= loop::lanes || batchBlocked(g.tensors[tensor], p.layout) || tile * loop::parts > samples) continue;
      p.kind = Placement::Kind::Part;
      places.push_back({{{tensor, use.first, use.last}}, workspaceBytes(g, s, tensor), use.first, use.last});
    }
    std::vector<Place *> order;
    for (Place &p : places)
      order.push_back(&p);
    std::stable_sort(order.begin(), order.end(), [](const Place *a, const Place *b) { return a->bytes > b->bytes; });
    assignOffsets(order);
    for (const Place &p : places)
      s.memory.at(g.tensors[p.lives[0].tensor].name).offset = p.offset;
  }

 private:
  struct Use {
    const Group *group = nullptr; // null: several
    int first = -1, last = -1;    // leaves
    bool sampleBySample = true;
  };

  void touchAll(const Group &group, const Leaf &leaf) {
    for (const int target : formulas.computedBy(leaf))
      for (const graph::Clause &c : formulas.definition(target)->clauses) {
        touch(group, c, target, c.out);
        if (leaf.fill) continue;
        for (const Node &n : c.body.nodes)
          if (n.kind == Node::Kind::Read) touch(group, c, n.id, n.map);
      }
    ++leaves;
  }
  void touch(const Group &group, const graph::Clause &c, int tensor, const std::vector<Affine> &map) {
    if (!s.memory.count(g.tensors[tensor].name)) return;
    const auto [at, isNew] = uses.try_emplace(tensor);
    Use &use = at->second;
    if (isNew) use.group = &group, use.first = leaves;
    if (use.group != &group) use.group = nullptr;
    use.last = leaves;
    int v = -1;
    use.sampleBySample &= !map.empty() && map[0].isVar(&v) && c.domain[v].extent.batch;
  }

  const Graph &g;
  const FormulaIndex &formulas;
  Schedule &s;
  std::map<int, Use> uses; // by tensor
  int leaves = 0;
};

} // namespace

void planMemory(const Graph &g, Schedule &s) {
  const FormulaIndex formulas(g);
  keepInRegisters(formulas, s);
  orderForMemory(g, s);
  Parts(g, formulas, s).place();
  Liveness alive = liveness(g, s);
  searchOffsets(alive);
  for (const Place &p : alive.places)
    for (const Life &l : p.lives)
      s.memory[g.tensors[l.tensor].name].offset = p.offset;
}

} // namespace netc::schedule
