#include "compiler/schedule/plan.h"

#include "compiler/schedule/emit.h"
#include "compiler/schedule/fit_memory.h"
#include "compiler/schedule/lower_leaf.h"
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace netc::schedule {

using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::TensorKind;

namespace {

constexpr std::int64_t mostAccumulators = 16; // of reductions in one sweep

/// Orders the formulas and writes groups of leaves.
class RunPlanner {
 public:
  RunPlanner(const Graph &g, const Target &t, Schedule &s) : g(g), target(t), schedule(s), readers(graph::readers(g)) {
    for (std::size_t i = 0; i < g.formulas.size(); ++i)
      definedBy[g.formulas[i].target] = static_cast<int>(i);
    for (const graph::Next &n : g.next)
      commits.insert(n.value);
    done.assign(g.formulas.size(), false);
    for (const Formula &f : g.formulas) {
      inputs.push_back(inputsOf(f));
      perSample.push_back(isPerSample(f));
      withUpdate.push_back(waitsForUpdate(f));
    }
    for (const Turns &t : findTurns(g, schedule, target)) {
      std::vector<int> &waitsFor = inputs[definedBy.at(t.sum)];
      for (int source : std::exchange(waitsFor, {})) {
        takesTurns.insert(source);
        for (int before : std::exchange(inputs[source], {}))
          waitsFor.push_back(before);
      }
      turns[definedBy.at(t.sum)] = t;
    }
  }

  void plan() {
    const auto before = [&](int i) { return !commits.count(g.formulas[i].target) && !withUpdate[i]; };
    scheduleAll(before);
    schedule.commit = static_cast<int>(schedule.run.size());
    scheduleAll([](int) { return true; });
    for (Group &group : schedule.run)
      if (rows(group)) takeTogether(group);
  }

 private:
  /// Runs block of samples by block: the batch index is along the lanes and in the result.
  bool isPerSample(const Formula &f) const {
    for (std::size_t i = 0; i < f.clauses.size(); ++i) {
      const Nest nest = collapsed(g, schedule.memory, f, static_cast<int>(i));
      if (nest.batch < 0 || nest.positions[nest.batch].reduction || chooseVector(nest) != nest.batch ||
          heavyWeights(nest))
        return false;
    }
    const std::vector<graph::Extent> &shape = g.tensors[f.target].shape;
    return coversAll(g, f) || shape[0].batch; // what fills the rest runs over the first dimension
  }

  /// A gradient that only updates read, larger than what it is computed from, is computed when they are: they ride
  /// along, and it need not be written and read again. It must not read what the updates overwrite.
  bool waitsForUpdate(const Formula &f) const {
    const Nest nest = collapsed(g, schedule.memory, f, 0);
    const int vector = chooseVector(nest);
    if (f.clauses.size() != 1 || commits.count(f.target) || !isContraction(f, f.clauses[0]) || vector < 0 ||
        nest.positions[vector].reduction || nest.batch < 0 || !nest.positions[nest.batch].reduction)
      return false;
    std::int64_t read = 0;
    for (const Node &n : f.clauses[0].body.nodes) {
      if (n.kind != Node::Kind::Read) continue;
      if (g.tensors[n.id].inStore()) return false;
      read += elements(g.tensors[n.id]);
    }
    if (elements(g.tensors[f.target]) <= read) return false;
    return std::all_of(g.formulas.begin(), g.formulas.end(), [&](const Formula &reader) {
      return commits.count(reader.target) || !reads(reader, f.target);
    });
  }

  std::vector<int> inputsOf(const Formula &f) const {
    std::vector<int> list;
    for (const graph::Clause &c : f.clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read)
          if (auto d = definedBy.find(n.id); d != definedBy.end()) list.push_back(d->second);
    return list;
  }
  bool ready(int i) const {
    for (int d : inputs[i])
      if (!done[d]) return false;
    return !takesTurns.count(i) && (!isRecomputed(g.formulas[i]) || isWaitedFor(i));
  }
  /// Something reads the result and nothing else that is not there yet, or is computed again, too.
  bool isWaitedFor(int i) const {
    for (std::size_t j = 0; j < g.formulas.size(); ++j) {
      const std::vector<int> &wanted = inputs[j];
      if (std::count(wanted.begin(), wanted.end(), i) > 0 &&
          std::all_of(wanted.begin(), wanted.end(), [&](int d) { return done[d] || isRecomputed(g.formulas[d]); }))
        return true;
    }
    return false;
  }
  /// Per-sample formulas as long as there are any; then only what the remaining ones wait for; then the rest.
  template <class Eligible> void scheduleAll(Eligible eligible) {
    const int n = static_cast<int>(g.formulas.size());
    for (;;) {
      for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < n; ++i)
          if (!done[i] && perSample[i] && eligible(i) && ready(i)) place(i), any = true;
      }
      std::set<int> needed;
      for (int i = 0; i < n; ++i)
        if (!done[i] && perSample[i] && eligible(i) && !isRecomputed(g.formulas[i])) addAncestors(i, needed);
      bool any = false, left = false;
      const auto placeWanted = [&](int i) {
        if (done[i] || perSample[i] || !eligible(i)) return;
        left = true;
        if (needed.empty()) continueRows(eligible);
        if (done[i]) return;
        if (ready(i) && (needed.empty() || needed.count(i))) place(i), any = true;
      };
      for (int i : latestFirst())
        placeWanted(i);
      for (int i = 0; i < n; ++i)
        placeWanted(i);
      if (!left && needed.empty()) return;
      if (!any) internalError("schedule: the formulas depend on each other in a circle");
    }
  }
  /// After a tile, what is ready, that first which reads what the tile made last: it is still in the cache.
  std::vector<int> latestFirst() const {
    std::vector<std::pair<std::pair<int, int>, int>> list; // when the last input was made
    if (schedule.run.empty() || schedule.run.back().tile != loop::lanes) return {};
    for (int i = 0; i < static_cast<int>(g.formulas.size()); ++i) {
      if (done[i] || perSample[i] || !ready(i)) continue;
      std::pair<int, int> made{-1, -1};
      for (int d : inputs[i])
        made = std::max(made, at.at(g.formulas[d].target));
      list.push_back({made, i});
    }
    std::stable_sort(list.begin(), list.end(), [](const auto &a, const auto &b) { return a.first > b.first; });
    std::vector<int> order;
    std::transform(list.begin(), list.end(), std::back_inserter(order), [](const auto &entry) { return entry.second; });
    return order;
  }
  void addAncestors(int i, std::set<int> &to) const {
    for (int d : inputs[i])
      if (!done[d] && to.insert(d).second) addAncestors(d, to);
    to.insert(i);
  }

  /// The group that takes the next leaves, by its number. A tile of rows follows one that goes leaf by leaf, which still
  /// takes what needs nothing of the tile, such as copies of weights.
  int groupFor(int i, std::int64_t tile) {
    std::vector<Group> &run = schedule.run;
    const bool newPhase = run.size() == static_cast<std::size_t>(schedule.commit) && schedule.commit > 0;
    const auto last = [&] { return static_cast<int>(run.size()) - 1; };
    const bool first = run.empty() || newPhase;
    if (!first && tile == 0 && rows(run.back())) {
      const std::vector<int> &list = inputs[i];
      if (std::none_of(list.begin(), list.end(), [&](int d) { return at.at(g.formulas[d].target).first == last(); }))
        return last() - 1;
    }
    if (tile == 0 || tile == loop::lanes) {
      if (first || run.back().tile != tile) run.push_back({tile, false, {}});
      return last();
    }
    if (first || !rows(run.back()) || !fitTogether(tile, run.back().tile) || !staysInCache(i, tile)) {
      std::vector<Leaf> taken;
      if (!first && takesItsSource(i, tile)) {
        tile = std::max(tile, run.back().tile);
        taken.push_back(std::move(run.back().leaves.back()));
        run.back().leaves.pop_back();
        if (run.back().leaves.empty()) run.pop_back();
      }
      if (first || run.empty() || run.back().tile != 0) run.push_back({});
      run.push_back({tile, false, std::move(taken)});
      touched.clear();
      for (const Leaf &leaf : run.back().leaves) {
        at[g.find(leaf.formula)] = {last(), 0};
        staysInCache(definedBy.at(g.find(leaf.formula)), tile);
      }
      staysInCache(i, tile);
    }
    run.back().tile = std::max(run.back().tile, tile);
    return last();
  }

  // ---- tiles of rows: formulas whose samples lie one by one, run depth first, too

  static bool rows(const Group &group) { return group.tile > 0 && group.tile < loop::lanes && !group.turns; }
  static bool fitTogether(std::int64_t a, std::int64_t b) { return std::max(a, b) % std::min(a, b) == 0; }

  /// With formula i, what the tile touches for its samples stays in the second cache; counts it in.
  bool staysInCache(int i, std::int64_t tile) {
    touched.insert(g.formulas[i].target);
    for (const graph::Clause &c : g.formulas[i].clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read) touched.insert(n.id);
    double bytes = 0;
    for (int t : touched) {
      const std::vector<graph::Extent> &shape = g.tensors[t].shape;
      const double samples = !shape.empty() && shape[0].batch ? static_cast<double>(tile) / static_cast<double>(g.batch) : 1;
      bytes += samples * static_cast<double>(elements(g.tensors[t]) * byteSize(g.tensors[t].dtype));
    }
    return bytes <= static_cast<double>(target.l2) * (takesSwollen(i) ? swollenShare : 1);
  }
  /// It alone reads what the tile has made last, which is much larger than what that is made from, or than its own result: such a
  /// value should never see the memory, even where it passes through the last cache.
  bool takesSwollen(int i) const {
    const std::vector<int> &list = inputs[i];
    return std::any_of(list.begin(), list.end(), [&](int d) {
      const int made = g.formulas[d].target;
      const auto place = at.find(made);
      if (place == at.end() || place->second.first + 1 != static_cast<int>(schedule.run.size()) ||
          schedule.run.back().leaves.back().formula != g.tensors[made].name || !schedule.run.back().leaves.back().then.empty())
        return false;
      if (readers[made].size() != 1) return false;
      const auto size = [&](int tensor) { return static_cast<double>(elements(g.tensors[tensor])); };
      return isSwollen(g, made) || size(made) > swollenBy * size(g.formulas[i].target);
    });
  }

  /// With formula i the tile would take too much, but what it has made last and i alone reads would fit beside i in one of
  /// their own.
  bool takesItsSource(int i, std::int64_t tile) {
    if (!rows(schedule.run.back()) || !fitTogether(tile, schedule.run.back().tile) || !takesSwollen(i)) return false;
    tile = std::max(tile, schedule.run.back().tile);
    touched.clear();
    staysInCache(definedBy.at(g.find(schedule.run.back().leaves.back().formula)), tile);
    return staysInCache(i, tile);
  }

  /// How many samples its leaves take at a time, when the threads share these; 0: they do not.
  std::int64_t samplesAtATime(const Formula &f, const std::vector<Leaf> &leaves) const {
    if (!goesByRows(g, schedule.memory, f)) return 0;
    std::int64_t most = 1;
    for (const Leaf &leaf : leaves) {
      if (leaf.fill) continue;
      if (leaf.parallel != batchName(leaf) || leaf.order.front().index != leaf.parallel) return 0;
      const std::int64_t own = std::max(tileOf(leaf, leaf.parallel), leaf.order.front().by);
      if (!fitTogether(own, most)) return 0;
      most = std::max(most, own);
    }
    return most * enoughTasks <= g.batch && most < loop::lanes ? most : 0; // 16 is a tile along the lanes
  }
  const std::string &batchName(const Leaf &leaf) const {
    for (const graph::Index &i : g.definition(g.find(leaf.formula))->clauses[leaf.clause].domain)
      if (i.extent.batch) return i.name;
    internalError("schedule: a tile of rows without samples");
  }
  static std::int64_t tileOf(const Leaf &leaf, const std::string &index) {
    for (auto &[name, size] : leaf.tile)
      if (name == index) return size;
    return 1;
  }

  /// What is ready and reads what the tile of rows made comes before anything else: it is still in the cache.
  template <class Eligible> void continueRows(Eligible eligible) {
    for (bool any = true; any && !schedule.run.empty() && rows(schedule.run.back());) {
      any = false;
      for (int j = 0; j < static_cast<int>(g.formulas.size()); ++j) {
        if (done[j] || perSample[j] || !eligible(j) || !ready(j)) continue;
        const std::vector<int> &list = inputs[j];
        const int last = static_cast<int>(schedule.run.size()) - 1;
        if (std::any_of(list.begin(), list.end(), [&](int d) { return at.at(g.formulas[d].target).first == last; }) &&
            goesByRows(g, schedule.memory, g.formulas[j]))
          place(j), any = true;
      }
    }
  }

  /// All leaves take as many samples at a time. One leaf alone needs no tile.
  void takeTogether(Group &group) const {
    if (group.leaves.size() == 1) return void(group.tile = 0);
    for (Leaf &leaf : group.leaves) {
      if (leaf.fill || tileOf(leaf, leaf.parallel) == group.tile) continue;
      if (leaf.order.front().by > 1)
        leaf.order.front().by = group.tile;
      else
        leaf.order.insert(leaf.order.begin(), {leaf.parallel, group.tile});
    }
  }

  /// What formula i adds up of the samples is made in the same turns.
  void placeTurns(int i) {
    const Turns &t = turns.at(i);
    schedule.run.push_back(planTurns(g, schedule, target, t));
    const std::vector<Leaf> &leaves = schedule.run.back().leaves;
    for (std::size_t l = 0; l < leaves.size(); ++l)
      at[g.find(leaves[l].formula)] = {static_cast<int>(schedule.run.size()) - 1, static_cast<int>(l)};
    for (int made : t.sources) {
      schedule.memory.at(g.tensors[made].name).kind = Placement::Kind::Turn;
      done[definedBy.at(made)] = true;
    }
  }

  void place(int i) {
    done[i] = true;
    const Formula &f = g.formulas[i];
    if (turns.count(i)) return placeTurns(i);
    if (follow(i)) return;
    std::vector<Leaf> leaves;
    bool fills = !coversAll(g, f) || leavesLanes(f);
    for (std::size_t c = 0; c < f.clauses.size(); ++c) {
      leaves.push_back(planLeaf(g, schedule, target, f, static_cast<int>(c)).leaf);
      fills |= interruptsReduction(f, leaves.back());
    }
    if (fills) leaves.insert(leaves.begin(), fillOf(g.tensors[f.target].name));
    const int number = groupFor(i, perSample[i] ? loop::lanes : samplesAtATime(f, leaves));
    Group &group = schedule.run[number];
    group.leaves.insert(group.leaves.end(), leaves.begin(), leaves.end());
    at[f.target] = {number, static_cast<int>(group.leaves.size()) - 1};
    if (!fills && f.clauses.size() == 1 && f.op != Combine::Assign) gather(i, group.leaves.back());
  }

  /// Other reductions over the same points that are ready join the sweep when they read what it reads.
  void gather(int i, Leaf &leaf) {
    const Formula &lead = g.formulas[i];
    if (isContraction(lead, lead.clauses[0])) return;
    std::int64_t accumulators = 1;
    for (auto &[name, size] : leaf.tile)
      accumulators *= size;
    const Nest nest = makeNest(g, schedule.memory, lead, 0);
    for (int j = 0; j < static_cast<int>(g.formulas.size()); ++j) {
      const Formula &f = g.formulas[j];
      if (done[j] || f.clauses.size() != 1 || f.op == Combine::Assign || perSample[j] != perSample[i] ||
          commits.count(f.target) || !ready(j) || readsLeaf(j, leaf) || isContraction(f, f.clauses[0]) ||
          !coversAll(g, f) || leavesLanes(f) ||
          accumulators * static_cast<std::int64_t>(leaf.with.size() + 2) > mostAccumulators)
        continue;
      const Nest other = makeNest(g, schedule.memory, f, 0);
      const std::vector<int> here = samePoints(g, schedule, nest, other);
      const int vector = chooseVector(other);
      if (here.empty() || !sharesRead(nest, other, here) ||
          (vector < 0 ? !leaf.vector.empty() : nest.positions[here[vector]].name != leaf.vector))
        continue;
      leaf.with.push_back(g.tensors[f.target].name);
      done[j] = true;
      at[f.target] = at[lead.target];
    }
  }

  bool readsLeaf(int j, const Leaf &leaf) const {
    for (int d : inputs[j]) {
      const std::string &name = g.tensors[g.formulas[d].target].name;
      if (name == leaf.formula || std::find(leaf.with.begin(), leaf.with.end(), name) != leaf.with.end())
        return true;
    }
    return false;
  }

  static bool sharesRead(const Nest &lead, const Nest &other, const std::vector<int> &here) {
    const auto samePlace = [&](const Access &a, const Access &b) {
      if (a.tensor != b.tensor) return false;
      for (std::size_t p = 0; p < here.size(); ++p)
        if (a.address.coefficient(here[p]) != b.address.coefficient(static_cast<int>(p))) return false;
      return true;
    };
    for (const Access &a : lead.reads)
      for (const Access &b : other.reads)
        if (a.tensor >= 0 &&
            std::any_of(
                lead.positions.begin(), lead.positions.end(),
                [&](const Position &p) { return p.reduction && a.address.uses(lead.find(p.name)); }) &&
            samePlace(a, b))
          return true;
    return false;
  }

  /// Sample by sample, the lanes beyond the last sample get no value; but others read whole blocks.
  bool leavesLanes(const Formula &f) const {
    if (!batchBlocked(g.tensors[f.target], layout(g, schedule.memory, f.target))) return false;
    for (std::size_t c = 0; c < f.clauses.size(); ++c) {
      const Nest nest = collapsed(g, schedule.memory, f, static_cast<int>(c));
      if (nest.batch >= 0 && !nest.positions[nest.batch].reduction && chooseVector(nest) != nest.batch)
        return true;
    }
    return false;
  }

  /// Lets a pointwise formula ride along with the last leaf whose result it reads, when nothing stands
  /// against it.
  bool follow(int i) {
    const Formula &f = g.formulas[i];
    if (f.op != Combine::Assign || f.clauses.size() != 1 || f.otherwise || isRecomputed(f) || !coversAll(g, f)) return false;
    std::pair<int, int> last{-1, -1}; // the last leaf that makes an input
    for (int d : inputs[i])
      last = std::max(last, at.at(g.formulas[d].target));
    if (last.first < 0 || (commits.count(f.target) && last.first < schedule.commit)) return false;
    if (!commits.count(f.target) && schedule.commit > 0 && last.first >= schedule.commit) return false;
    if (schedule.run[last.first].turns) return false;
    Leaf &leaf = schedule.run[last.first].leaves[last.second];
    const Formula &lead = *g.definition(g.find(leaf.formula));
    if (leaf.fill || interruptsReduction(lead, leaf) || leavesLanes(lead) || leavesLanes(f) ||
        lead.clauses.size() != 1 || !coversAll(g, lead) || !plainOut(g, lead, lead.clauses[0]))
      return false;
    if (static_cast<int>(leaf.then.size()) >= 4) return false;
    return canFollow(f, leaf, lead) &&
           (leaf.then.push_back(g.tensors[f.target].name), at[f.target] = last, true);
  }

  bool canFollow(const Formula &f, const Leaf &leaf, const Formula &lead) const {
    Nest nest = makeNest(g, schedule.memory, lead, 0);
    std::map<int, InRegister> inRegister{{lead.target, {{}, dimensionPositions(lead.clauses[0])}}};
    for (const std::string &name : leaf.with) {
      const Formula &e = *g.definition(g.find(name));
      const std::vector<int> here = samePoints(g, schedule, nest, makeNest(g, schedule.memory, e, 0));
      std::vector<int> dims = dimensionPositions(e.clauses[0]);
      for (int &d : dims)
        d = here[d];
      inRegister[e.target] = {{}, dims};
    }
    for (const std::string &name : leaf.then) {
      const Formula &e = *g.definition(g.find(name));
      const Nest follower = makeNest(g, schedule.memory, e, 0);
      std::vector<int> dims = dimensionPositions(e.clauses[0]);
      const std::vector<int> here = correspondence(g, follower, inRegister);
      for (int &d : dims)
        d = d < 0 ? -1 : here[d];
      inRegister[e.target] = {{}, dims};
    }
    Nest follower = makeNest(g, schedule.memory, f, 0);
    const std::vector<int> here = correspondence(g, follower, inRegister);
    std::size_t results = 0;
    for (const Position &p : nest.positions)
      results += !p.reduction;
    if (here.size() != follower.positions.size() || here.size() != results) return false;
    for (std::size_t p = 0; p < here.size(); ++p) {
      if (follower.positions[p].block >= 0 && nest.positions[here[p]].block < 0) return false;
      if (nest.positions[here[p]].name != leaf.vector) continue;
      // Lanes that are written far apart would wait for memory in the middle of the sums.
      const bool apart = lead.op != Combine::Assign && follower.out.coefficient(static_cast<int>(p)) > 1;
      if (apart || follower.guarded(static_cast<int>(p))) return false;
    }
    // Whatever else it reads of values in registers must be the same element.
    for (const Node &n : f.clauses[0].body.nodes) {
      if (n.kind != Node::Kind::Read || !inRegister.count(n.id)) continue;
      for (std::size_t d = 0; d < n.map.size(); ++d) {
        int v = -1;
        if (!n.map[d].isVar(&v) || here[v] != inRegister.at(n.id).dims[d]) return false;
      }
    }
    for (const auto &names : leaf.collapse) {
      std::vector<int> same;
      for (const std::string &n : names)
        same.push_back(static_cast<int>(std::find(here.begin(), here.end(), nest.find(n)) - here.begin()));
      if (!canCollapse(follower, same)) return false;
      collapse(follower, same);
    }
    return true;
  }

  const Graph &g;
  const Target &target;
  Schedule &schedule;
  const std::vector<std::vector<int>> readers; // by tensor: formulas
  std::map<int, int> definedBy;
  std::vector<std::vector<int>> inputs; // by formula: the formulas that make what it reads
  std::set<int> commits;
  std::vector<bool> done, perSample, withUpdate;
  std::map<int, Turns> turns; // by the formula that adds up
  std::set<int> takesTurns;   // the formulas that are made in the turns of one
  std::set<int> touched; // by the tile of rows that is open
  std::map<int, std::pair<int, int>> at; // where a tensor's value is complete: group, leaf
};

} // namespace

void planRun(const Graph &g, const Target &t, Schedule &s) {
  RunPlanner(g, t, s).plan();
}

Schedule plan(const Graph &g, const Target &t) {
  Schedule s;
  s.entry = g.name;
  s.target = t.name;
  s.numeric = planNumeric(g);
  s.memory = planLayouts(g);
  planRun(g, t, s);
  planMemory(g, s);
  return s;
}

} // namespace netc::schedule
