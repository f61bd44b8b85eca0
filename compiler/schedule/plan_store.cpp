// How the store holds each parameter: as contractions read it, so that no step brings it into blocks.
//
// One layout serves all entries. Each entry was prepared as if parameters were row-major: where a contraction wants one in
// blocks, it reads a copy. The layout that most of these copies have becomes that of the store, and the copies are the
// parameter itself. What still wants another one (the gradient for the input sums over what the forward pass has along the
// lanes) goes on reading its copy. Momentum and the like, and the gradient itself, lie like their parameter: an update goes
// through memory from the first element to the last.
//
// No sum changes its order. A contraction reads the same blocks as before, from another place; and a tensor that any
// other sum reads stays as it is.
#include "compiler/schedule/plan_parts.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace netc::schedule {

using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::TensorKind;

namespace {

/// An index of its own, that no guard knows, runs over all of each blocked dimension.
bool addressable(const Tensor &t, const Clause &c, const std::vector<Affine> &map, const Layout &layout) {
  return std::all_of(layout.blocked.begin(), layout.blocked.end(), [&](int d) {
    int v = -1;
    return map[d].isVar(&v) && c.domain[v].extent == t.shape[d] &&
           std::none_of(c.guards.begin(), c.guards.end(), [&](const Affine &guard) { return guard.uses(v); });
  });
}

/// Nothing is summed up from its elements, and all that touches it could do so in that layout.
bool isFree(const Graph &g, int tensor, const Layout &layout) {
  const Tensor &t = g.tensors[tensor];
  return std::all_of(g.formulas.begin(), g.formulas.end(), [&](const Formula &f) {
    return std::all_of(f.clauses.begin(), f.clauses.end(), [&](const Clause &c) {
      if (f.target == tensor && !addressable(t, c, c.out, layout)) return false;
      return std::all_of(c.body.nodes.begin(), c.body.nodes.end(), [&](const Node &n) {
        return n.kind != Node::Kind::Read || n.id != tensor || (f.op == Combine::Assign && addressable(t, c, n.map, layout));
      });
    });
  });
}

/// The lanes of what makes the tensor are none that are summed up.
bool keepsSums(const Graph &g, const std::map<std::string, Placement> &layouts, const Formula &f) {
  for (std::size_t c = 0; c < f.clauses.size(); ++c) {
    const Nest nest = makeNest(g, layouts, f, static_cast<int>(c));
    const int vector = chooseVector(nest);
    if (vector < 0 || nest.positions[vector].reduction) return false;
  }
  return true;
}

/// The same of the next value of a state that would be held in that layout.
bool keepsSums(const Graph &g, const graph::Next &n, const Layout &layout) {
  const Formula &made = *g.definition(n.value);
  if (made.op == Combine::Assign) return true;
  Graph changed = g;
  changed.tensors[n.state].blocked = layout.blocked;
  return keepsSums(g, planLayouts(g), made) && keepsSums(changed, planLayouts(changed), *changed.definition(n.value));
}

/// In all entries, the next value included.
bool isFree(const graph::Module &m, const std::string &stored, const Layout &layout) {
  return std::all_of(m.entries.begin(), m.entries.end(), [&](const Graph &g) {
    const int tensor = g.find(stored);
    return isFree(g, tensor, layout) && std::all_of(g.next.begin(), g.next.end(), [&](const graph::Next &n) {
             return n.state != tensor || (isFree(g, n.value, layout) && keepsSums(g, n, layout));
           });
  });
}

/// A copy [i...] = t[i...] of a parameter or state, not of its next value, that a contraction reads.
bool isPacked(const Graph &g, const Formula &f) {
  if (f.origin != "copy" || f.clauses.size() != 1) return false;
  const Node &read = f.clauses[0].body.nodes[f.clauses[0].body.root];
  if (read.kind != Node::Kind::Read || !g.tensors[read.id].inStore() || read.map != f.clauses[0].out) return false;
  const auto isResult = [&](int tensor) {
    return std::any_of(g.next.begin(), g.next.end(), [&](const graph::Next &n) { return n.value == tensor; }) ||
           std::any_of(g.results.begin(), g.results.end(), [&](const graph::Result &r) { return r.tensor == tensor; });
  };
  return !isResult(f.target) && std::none_of(g.formulas.begin(), g.formulas.end(), [&](const Formula &reader) {
    return isResult(reader.target) && reads(reader, f.target); // may run when the store has changed
  });
}
int packed(const Formula &f) { return f.clauses[0].body.nodes[f.clauses[0].body.root].id; }

/// Tensors of an entry that are computed from each other element by element, a state and its next value included.
class Segments {
 public:
  explicit Segments(const Graph &g) : up(g.tensors.size()) {
    std::iota(up.begin(), up.end(), 0);
    for (const graph::Next &n : g.next)
      join(n.state, n.value);
    for (const Formula &f : g.formulas) {
      if (f.op != Combine::Assign || f.clauses.size() != 1 || !plainOut(g, f, f.clauses[0])) continue;
      for (const Node &n : f.clauses[0].body.nodes)
        if (n.kind == Node::Kind::Read && n.map == f.clauses[0].out) join(n.id, f.target);
    }
  }
  bool joined(int a, int b) { return root(a) == root(b); }

 private:
  int root(int t) { return up[t] == t ? t : up[t] = root(up[t]); }
  void join(int a, int b) { up[root(a)] = root(b); }
  std::vector<int> up;
};

/// By name, what all entries share.
using Layouts = std::map<std::string, Layout>;

/// The layout of most copies of each parameter, where all else that touches it can do with that, too.
Layouts preferred(const graph::Module &m) {
  std::map<std::string, std::vector<std::pair<Layout, int>>> copies; // and how many, the first entry's first
  for (const Graph &g : m.entries) {
    const std::map<std::string, Placement> layouts = planLayouts(g);
    for (const Formula &f : g.formulas) {
      if (!isPacked(g, f)) continue;
      const Layout own = layout(g, layouts, f.target);
      auto &list = copies[g.tensors[packed(f)].name];
      auto known = std::find_if(list.begin(), list.end(), [&](const auto &l) { return l.first == own; });
      if (known == list.end()) known = list.insert(list.end(), {own, 0});
      ++known->second;
    }
  }
  Layouts chosen;
  for (const auto &[name, list] : copies) {
    const Layout most =
        std::max_element(list.begin(), list.end(), [](const auto &a, const auto &b) { return a.second < b.second; })->first;
    if (!most.blocked.empty() && isFree(m, name, most)) chosen[name] = most;
  }
  return chosen;
}

/// States that go with a parameter lie like it.
void addStates(const graph::Module &m, Layouts &chosen) {
  const Layouts parameters = chosen;
  std::vector<Segments> segments(m.entries.begin(), m.entries.end());
  for (const auto &[name, layout] : parameters)
    for (std::size_t e = 0; e < m.entries.size(); ++e) {
      const Graph &g = m.entries[e];
      const int parameter = g.find(name);
      for (int state = 0, shared = g.sharedCount(); state < shared; ++state) {
        const Tensor &t = g.tensors[state];
        if (t.kind == TensorKind::State && t.shape == g.tensors[parameter].shape && segments[e].joined(state, parameter) &&
            isFree(m, t.name, layout))
          chosen.try_emplace(t.name, layout);
      }
    }
}

/// Readers of copies that lie like their parameter read it itself.
void dropCopies(Graph &g) {
  const std::map<std::string, Placement> layouts = planLayouts(g);
  std::vector<char> drop(g.formulas.size());
  std::map<int, int> instead;
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const Formula &f = g.formulas[i];
    if (!isPacked(g, f) || layout(g, layouts, f.target) != Layout{g.tensors[packed(f)].blocked}) continue;
    drop[i] = true;
    instead[f.target] = packed(f);
  }
  for (Formula &f : g.formulas)
    for (Clause &c : f.clauses)
      for (Node &n : c.body.nodes)
        if (const auto to = n.kind == Node::Kind::Read ? instead.find(n.id) : instead.end(); to != instead.end()) n.id = to->second;
  dropFormulas(g, drop);
}

} // namespace

void followStore(const Graph &g, std::map<std::string, Placement> &layouts) {
  Segments segments(g);
  for (int stored = 0, shared = g.sharedCount(); stored < shared; ++stored) {
    const Layout of{g.tensors[stored].blocked};
    if (of.blocked.empty()) continue;
    for (const Formula &f : g.formulas) {
      const Tensor &t = g.tensors[f.target];
      if (!segments.joined(f.target, stored) || t.shape != g.tensors[stored].shape) continue;
      Placement &place = layouts.at(t.name);
      if (place.kind != Placement::Kind::Workspace || place.layout == of || !isFree(g, f.target, of)) continue;
      const Layout before = std::exchange(place.layout, of);
      if (f.op == Combine::Assign || keepsSums(g, layouts, f)) continue;
      place.layout = before;
    }
  }
}

void planStore(graph::Module &m) {
  Layouts chosen = preferred(m);
  addStates(m, chosen);
  for (Graph &g : m.entries) {
    for (const auto &[name, layout] : chosen)
      g.tensors[g.find(name)].blocked = layout.blocked;
    dropCopies(g);
  }
}

} // namespace netc::schedule
