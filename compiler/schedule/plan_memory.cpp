// The arena: each tensor of a step gets an offset such that tensors that live at the same time do not
// overlap.
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>
#include <set>

namespace netc::schedule {

using graph::Graph;
using graph::Node;

namespace {

struct Life {
  std::string name;
  std::int64_t bytes = 0;
  int first = -1, last = -1; // steps
  std::int64_t offset = 0;
  bool fixed = false;

  bool meets(const Life &o) const { return o.first <= last && first <= o.last; }
  bool overlaps(const Life &o) const { return offset < o.offset + o.bytes && o.offset < offset + bytes; }
};

/// When each tensor is touched. A step is a leaf; a whole tiled group is one step, because its leaves
/// alternate.
std::vector<Life> liveness(const Graph &g, const Schedule &s) {
  std::vector<Life> lives(g.tensors.size());
  const auto touch = [&](int tensor, int step) {
    Life &l = lives[tensor];
    if (l.first < 0) l.first = step;
    l.last = step;
  };
  const auto touchFormula = [&](const std::string &name, int step) {
    const int target = g.find(name);
    touch(target, step);
    for (const graph::Clause &c : g.definition(target)->clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read) touch(n.id, step);
  };
  int step = 0;
  for (const Group &group : s.run) {
    for (const Leaf &leaf : group.leaves) {
      touchFormula(leaf.formula, step);
      for (const std::string &name : leaf.with)
        touchFormula(name, step);
      for (const std::string &name : leaf.then)
        touchFormula(name, step);
      step += group.tile == 0;
    }
    step += group.tile > 0;
  }
  return lives;
}

/// Largest first, each at the lowest offset where it meets no tensor of its lifetime.
void assignOffsets(std::vector<Life> &lives) {
  std::stable_sort(lives.begin(), lives.end(), [](const Life &a, const Life &b) {
    return a.fixed != b.fixed ? a.fixed : a.bytes > b.bytes;
  });
  for (std::size_t i = 0; i < lives.size(); ++i) {
    if (lives[i].fixed) continue;
    std::vector<const Life *> neighbours;
    for (std::size_t j = 0; j < i; ++j)
      if (lives[i].meets(lives[j])) neighbours.push_back(&lives[j]);
    std::sort(neighbours.begin(), neighbours.end(),
              [](const Life *a, const Life *b) { return a->offset < b->offset; });
    std::int64_t offset = 0;
    for (const Life *n : neighbours) {
      if (offset + lives[i].bytes <= n->offset) break;
      offset = std::max(offset, n->offset + n->bytes);
    }
    lives[i].offset = offset;
  }
}

/// Takes over the places that the sibling gives to the same tensors, as far as they fit together here.
void fixOffsets(std::vector<Life> &lives, const Schedule &sibling) {
  std::vector<const Life *> fixed;
  for (Life &l : lives) {
    const auto at = sibling.memory.find(l.name);
    if (at == sibling.memory.end() || at->second.kind != Placement::Kind::Workspace) continue;
    l.offset = at->second.offset;
    l.fixed = std::none_of(fixed.begin(), fixed.end(),
                           [&](const Life *o) { return l.meets(*o) && l.overlaps(*o); });
    if (l.fixed) fixed.push_back(&l);
  }
}

/// Tensors that only the leaf that makes them uses stay in registers.
void keepInRegisters(const Graph &g, Schedule &s) {
  std::map<std::string, const Leaf *> leafOf;
  std::map<int, std::set<const Leaf *>> users;
  for (const Group &group : s.run)
    for (const Leaf &leaf : group.leaves) {
      std::vector<std::string> names = leaf.then;
      names.push_back(leaf.formula);
      names.insert(names.end(), leaf.with.begin(), leaf.with.end());
      for (const std::string &name : names) {
        leafOf[name] = &leaf;
        for (const graph::Clause &c : g.definition(g.find(name))->clauses)
          for (const Node &n : c.body.nodes)
            if (n.kind == Node::Kind::Read) users[n.id].insert(&leaf);
      }
    }
  for (auto &[name, place] : s.memory) {
    if (place.kind != Placement::Kind::Workspace || !leafOf.count(name)) continue;
    const auto &by = users[g.find(name)];
    if (by.size() == 1 && *by.begin() == leafOf[name]) place.kind = Placement::Kind::Register;
  }
}

} // namespace

void planMemory(const Graph &g, Schedule &s, const Schedule *sibling) {
  keepInRegisters(g, s);
  const std::vector<Life> all = liveness(g, s);
  std::vector<Life> lives;
  for (std::size_t t = 0; t < g.tensors.size(); ++t) {
    const auto place = s.memory.find(g.tensors[t].name);
    if (place == s.memory.end() || place->second.kind != Placement::Kind::Workspace) continue;
    Life l = all[t];
    l.name = g.tensors[t].name;
    const std::int64_t size =
        byteSize(g.tensors[t].dtype) * elements(g.tensors[t], place->second.layout);
    l.bytes = (size + 63) / 64 * 64;
    lives.push_back(std::move(l));
  }
  if (sibling) fixOffsets(lives, *sibling);
  assignOffsets(lives);
  for (const Life &l : lives)
    s.memory[l.name].offset = l.offset;
}

} // namespace netc::schedule
