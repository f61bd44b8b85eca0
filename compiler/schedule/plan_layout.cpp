// Layouts: where the elements of each tensor lie. By the graph alone, because what runs along the lanes, and
// so the order of sums, follows from them.
//
// A batch tensor is either batch-innermost ([n/16][...][16 n]: any extents, but a batch of 1 costs as much as
// one of 16, so that very few samples never lie like this), channel-blocked ([n][c/16][...][16 c]) or plain. Only
// contractions matter: for each one the model below compares the multiply-adds along the samples with those along
// a channel, with what it costs to bring the weights into blocks. Tensors that are computed from each other point
// by point are a segment and decide together. What no contraction touches takes the layout of what it is computed
// from.
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace netc::schedule {

using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::TensorKind;

namespace {

// Fractions of the peak that contractions reach, and cycles for each element that changes its layout.
constexpr double alongSamples = 0.8, samplesReduced = 0.65; // batch-innermost
constexpr double alongChannels = 0.93, oneBlock = 0.85,
                 noLanes = 0.3; // channel-blocked; 16 channels; neither
constexpr double multiplyAddsPerCycle = 32;
constexpr double packCycles = 1.5, updateCycles = 6, borderCycles = 2;

bool hasBatch(const Tensor &t) {
  return std::any_of(t.shape.begin(), t.shape.end(), [](const graph::Extent &e) { return e.batch; });
}

struct Repack {
  int formula, clause, node; // the formula by its target
  int tensor;
  std::vector<int> layout;
};

class LayoutPlanner {
 public:
  explicit LayoutPlanner(const Graph &g) : g(g) {
    for (const Formula &f : g.formulas)
      for (const Clause &c : f.clauses) {
        note(f.target, f, c, c.out);
        for (const Node &n : c.body.nodes)
          if (n.kind == Node::Kind::Read) note(n.id, f, c, n.map);
      }
  }

  void findChannels() {
    for (std::size_t t = 0; t < g.tensors.size(); ++t)
      if (g.tensors[t].kind == TensorKind::Local && hasBatch(g.tensors[t]))
        channel[t] = g.tensors[t].shape[0].batch ? channelDimension(static_cast<int>(t)) : -1;
    candidates = channel;
  }

  std::map<std::string, Placement> plan() {
    findChannels();
    judgeContractions();
    inherit();
    settle();
    std::map<std::string, Placement> memory;
    for (std::size_t t = 0; t < g.tensors.size(); ++t)
      if (g.tensors[t].kind == TensorKind::Local) memory[g.tensors[t].name].layout = layoutOf(t);
    return memory;
  }

 private:
  struct Access {
    const Formula *formula;
    const Clause *clause;
    const std::vector<Affine> *map;
  };
  void note(int tensor, const Formula &f, const Clause &c, const std::vector<Affine> &map) {
    accesses[tensor].push_back({&f, &c, &map});
  }

  /// Every access runs over this dimension with an index of its own that no guard knows.
  bool plainEverywhere(int tensor, int d) const {
    const auto found = accesses.find(tensor);
    if (found == accesses.end()) return false;
    return std::all_of(found->second.begin(), found->second.end(), [&](const Access &a) {
      int v = -1;
      if (!(*a.map)[d].isVar(&v) || a.clause->domain[v].extent.size != g.tensors[tensor].shape[d].size)
        return false;
      return std::none_of(a.clause->guards.begin(), a.clause->guards.end(),
                          [&](const Affine &guard) { return guard.uses(v); });
    });
  }

  int channelDimension(int tensor) const {
    const Tensor &t = g.tensors[tensor];
    for (std::size_t d = 0; d < t.shape.size(); ++d)
      if (!t.shape[d].batch && t.shape[d].size % loop::lanes == 0 &&
          plainEverywhere(tensor, static_cast<int>(d)))
        return static_cast<int>(d);
    return -1;
  }

  /// The index of the clause that runs over the tensor's channels; -1: none.
  int channelIndex(int tensor, const std::vector<Affine> &map) const {
    const auto d = channel.find(tensor);
    int v = -1;
    return d != channel.end() && d->second >= 0 && map[d->second].isVar(&v) ? v : -1;
  }

  /// The result index that could run along the lanes, with the batch tensors channel-blocked.
  int laneIndex(const Formula &f, const Clause &c) const {
    if (hasBatch(g.tensors[f.target])) return channelIndex(f.target, c.out);
    for (const Node &n : c.body.nodes) {
      if (n.kind != Node::Kind::Read) continue;
      const int v = channelIndex(n.id, n.map);
      if (v >= 0 &&
          std::any_of(c.out.begin(), c.out.end(), [&](const Affine &a) { return a == Affine::var(v); }))
        return v;
    }
    return -1;
  }

  /// How many elements an update finds in blocks: a weight's gradient, or the gradient that is made from products in larger tiles.
  double leaveBlocks(int tensor) const {
    std::int64_t largest = 0; // that is made from it
    for (const Formula &f : g.formulas)
      if (reads(f, tensor)) largest = std::max(largest, elements(g.tensors[f.target]));
    const std::int64_t own = elements(g.tensors[tensor]);
    return static_cast<double>(largest > 0 ? std::min(own, largest) : own);
  }

  struct Cycles {
    double samples = 0, channels = 0,
           moved = 0; // along samples, along channels, and what changes its layout for that
    double gain() const { return samples - channels - moved; }
  };
  /// What the model says of a contraction.
  Cycles cycles(const Formula &f, const Clause &c) const {
    double points = 1;
    for (const graph::Index &i : c.domain)
      points *= static_cast<double>(i.extent.size);
    const std::int64_t blocks = (g.batch + loop::lanes - 1) / loop::lanes;
    const double waste = static_cast<double>(blocks * loop::lanes) / static_cast<double>(g.batch);
    const bool reduced = !hasBatch(g.tensors[f.target]);
    const int lane = laneIndex(f, c);
    const double along = lane < 0                                    ? noLanes
                         : c.domain[lane].extent.size == loop::lanes ? oneBlock
                                                                     : alongChannels;
    Cycles result;
    result.samples = points / multiplyAddsPerCycle * waste / (reduced ? samplesReduced : alongSamples);
    result.channels = points / multiplyAddsPerCycle / along;
    if (lane < 0) return result;
    const auto size = [&](int t) { return static_cast<double>(elements(g.tensors[t])); };
    if (reduced) result.moved += updateCycles * leaveBlocks(f.target);
    for (const Node &node : c.body.nodes) {
      if (node.kind != Node::Kind::Read) continue;
      if (!hasBatch(g.tensors[node.id]))
        result.moved += packCycles * size(node.id);
      else if (deep.count(node.id) && channelIndex(node.id, node.map) < 0) // another segment's border
        result.moved += borderCycles * size(node.id);
    }
    return result;
  }

  /// Tensors that are computed from each other point by point share their layout; so does a contraction of two batch tensors with
  /// the one that has its channels.
  void joinSegments() {
    for (const Formula &f : g.formulas) {
      if (channel.count(f.target) == 0) continue;
      for (const Clause &c : f.clauses) {
        const bool contracted = isContraction(f, c) && std::all_of(c.body.nodes.begin(), c.body.nodes.end(), [&](const Node &n) {
                                  return n.kind != Node::Kind::Read || hasBatch(g.tensors[n.id]);
                                });
        if (f.op != Combine::Assign && !contracted) continue;
        const int outputs = channelIndex(f.target, c.out);
        for (const Node &n : c.body.nodes)
          if (n.kind == Node::Kind::Read && outputs >= 0 && channelIndex(n.id, n.map) == outputs && (contracted || usesAll(c, n.map)))
            segment[root(n.id)] = root(f.target);
      }
    }
  }
  static bool usesAll(const Clause &c, const std::vector<Affine> &map) {
    for (std::size_t p = 0; p < c.domain.size(); ++p)
      if (c.domain[p].extent.size > 1 &&
          std::none_of(map.begin(), map.end(), [&](const Affine &a) { return a.uses(static_cast<int>(p)); }))
        return false;
    return true;
  }
  int root(int t) {
    const auto up = segment.find(t);
    return up == segment.end() || up->second == t ? t : up->second = root(up->second);
  }

  void judgeContractions() {
    joinSegments();
    for (const Formula &f : g.formulas)
      for (const Clause &c : f.clauses) {
        bool below = isContraction(f, c);
        for (const Node &n : c.body.nodes)
          below |= n.kind == Node::Kind::Read && deep.count(n.id) > 0;
        if (below) deep.insert(f.target);
      }
    std::map<int, double> gains; // by segment
    for (const Formula &f : g.formulas)
      for (const Clause &c : f.clauses) {
        if (!isContraction(f, c)) continue;
        const double gain = cycles(f, c).gain();
        std::set<int> segments{root(f.target)};
        for (const Node &n : c.body.nodes)
          if (n.kind == Node::Kind::Read) segments.insert(root(n.id));
        for (int s : segments)
          gains[s] += gain;
      }
    for (auto &[t, d] : channel) {
      const auto found = gains.find(root(t));
      if (found == gains.end()) continue;
      touched.insert(t);
      if (found->second <= 0) d = -1;
    }
  }

  /// What no contraction touches is blocked by channels when something that it is computed from is.
  void inherit() {
    for (const Formula &f : g.formulas) {
      const auto d = channel.find(f.target);
      if (d == channel.end() || d->second < 0 || touched.count(f.target)) continue;
      bool any = false;
      for (const Clause &c : f.clauses)
        for (const Node &n : c.body.nodes)
          any |= n.kind == Node::Kind::Read && channelIndex(n.id, n.map) >= 0;
      if (!any) d->second = -1;
    }
  }

  /// Batch tensors of the workspace that a clause accesses, once for each access.
  std::vector<int> batchAccesses(const Formula &f, const Clause &c) const {
    std::vector<int> list;
    if (channel.count(f.target)) list.push_back(f.target);
    for (const Node &n : c.body.nodes)
      if (n.kind == Node::Kind::Read && channel.count(n.id)) list.push_back(n.id);
    return list;
  }

  /// Where a segment meets another one, tensors that no contraction accesses themselves take the side on which fewer
  /// elements are read or written across the lanes: what pooling makes smaller before it changes its layout.
  void settle() {
    struct Use {
      std::vector<int> tensors;
      double points;
    };
    std::vector<Use> uses;
    std::map<int, std::vector<std::size_t>> usesOf;
    std::set<int> fixed;
    for (const Formula &f : g.formulas)
      for (const Clause &c : f.clauses) {
        Use use{batchAccesses(f, c), 1};
        for (const graph::Index &i : c.domain)
          use.points *= static_cast<double>(i.extent.size);
        for (int t : use.tensors) {
          if (isContraction(f, c)) fixed.insert(t);
          if (usesOf[t].empty() || usesOf[t].back() != uses.size()) usesOf[t].push_back(uses.size());
        }
        uses.push_back(std::move(use));
      }
    const auto across = [&](int tensor) {
      double n = 0;
      for (std::size_t u : usesOf[tensor]) {
        const auto blocked = std::count_if(uses[u].tensors.begin(), uses[u].tensors.end(), [&](int t) { return channel[t] >= 0; });
        n += uses[u].points * static_cast<double>(std::min<std::ptrdiff_t>(blocked, uses[u].tensors.size() - blocked));
      }
      return n;
    };
    for (bool changed = true; changed;) {
      changed = false;
      for (const auto &[t, d] : candidates) {
        if (d < 0 || fixed.count(t)) continue;
        const int before = channel[t];
        const double cost = across(t);
        channel[t] = before < 0 ? d : -1;
        if (across(t) < cost)
          changed = true;
        else
          channel[t] = before;
      }
    }
  }

  bool alongChannel(const Formula &f, const Clause &c) const {
    return isContraction(f, c) && laneIndex(f, c) >= 0;
  }

  /// All contractions that touch it run along channels of something else.
  bool onlyBroadcast(int tensor) const {
    bool any = false;
    for (const Formula &f : g.formulas)
      for (const Clause &c : f.clauses) {
        bool touches = f.target == tensor;
        for (const Node &n : c.body.nodes)
          touches |= n.kind == Node::Kind::Read && n.id == tensor;
        if (!touches || !isContraction(f, c)) continue;
        if (!alongChannel(f, c)) return false;
        any = true;
      }
    return any;
  }

  /// A copy [n][k] that only sums over the samples read, with k as the last index of their result.
  bool readInRows(int tensor) const {
    const Formula *made = g.definition(tensor);
    if (!made || made->origin != "copy" || g.tensors[tensor].shape.size() != 2) return false;
    bool any = false;
    for (const Formula &f : g.formulas)
      for (const Clause &c : f.clauses)
        for (const Node &n : c.body.nodes) {
          if (n.kind != Node::Kind::Read || n.id != tensor) continue;
          if (!isContraction(f, c) || hasBatch(g.tensors[f.target]) || c.out.empty() ||
              c.reduction().size() != 1 || c.out.back() != n.map.back())
            return false;
          any = true;
        }
    return any;
  }

  Layout layoutOf(int tensor) const {
    const Tensor &t = g.tensors[tensor];
    if (!hasBatch(t)) return {weightLayout(tensor)};
    const int d = channel.at(tensor);
    if (d >= 0) return {{d}, padding(t)};
    if (g.batch <= fewSamples || (t.shape[0].batch && (onlyBroadcast(tensor) || readInRows(tensor))))
      return {{}, padding(t)};
    for (std::size_t b = 0; b < t.shape.size(); ++b)
      if (t.shape[b].batch) return {{static_cast<int>(b)}};
    return {};
  }

  /// What keeps a sample from lying whole pages behind the one before.
  std::int64_t padding(const Tensor &t) const {
    const std::int64_t row = elements(t) / t.shape[0].size * byteSize(t.dtype);
    return g.batch > fewSamples && row % pageBytes == 0 ? loop::lanes : 0;
  }

  /// Weights and their gradients: the result's channels innermost, those of the reduction around them.
  std::vector<int> weightLayout(int tensor) const {
    const auto found = accesses.find(tensor);
    if (found == accesses.end()) return {};
    const std::vector<Access> &all = found->second;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto &[f, c, map] = all[i];
      if ((i + 1 < all.size() && all[i + 1].clause == c) || !alongChannel(*f, *c)) continue; // the clause's last access says it
      if (std::vector<int> wanted = blockedDimensions(*f, *c, tensor, *map); !wanted.empty()) return wanted;
    }
    return {};
  }

 public:
  /// How the clause wants a tensor without samples to lie.
  std::vector<int> blockedDimensions(const Formula &f, const Clause &c, int tensor,
                                     const std::vector<Affine> &map) const {
    if (!isContraction(f, c)) return {};
    int lane = laneIndex(f, c);
    std::set<int> others; // channels of what else is read
    for (const Node &n : c.body.nodes)
      if (n.kind == Node::Kind::Read)
        if (const int v = channelIndex(n.id, n.map); v >= 0 && v != lane) others.insert(v);
    if (lane < 0 && others.size() == 1) lane = *others.begin(); // lanes are summed up
    others.erase(lane);
    if (lane < 0) return {};
    std::vector<int> dims;
    int last = -1;
    for (std::size_t d = 0; d < map.size(); ++d) {
      int v = -1;
      if (!map[d].isVar(&v) || g.tensors[tensor].shape[d].size % loop::lanes != 0) continue;
      if (!inStoreOrPlain(tensor, static_cast<int>(d))) continue;
      if (v == lane) last = static_cast<int>(d);
      if (others.count(v)) dims.push_back(static_cast<int>(d));
    }
    if (last < 0) return {};
    dims.push_back(last);
    return dims;
  }

  /// The choice and its cost, as text. Before plan() has decided, channel dimensions are candidates only.
  std::string describe(const std::map<std::string, Placement> &memory) const {
    std::string out = fmt::format(
        "layouts {} {{ # thousands of cycles: along samples, along channels, moved for that\n", g.name);
    for (const Formula &f : g.formulas)
      for (const Clause &c : f.clauses) {
        if (!isContraction(f, c)) continue;
        const Cycles k = cycles(f, c);
        out += fmt::format("  contraction {}: {:.0f} {:.0f} {:.0f}\n", g.tensors[f.target].name,
                           k.samples / 1000, k.channels / 1000, k.moved / 1000);
      }
    for (const Tensor &t : g.tensors) {
      if (!t.blocked.empty()) out += fmt::format("  {}: {}\n", t.name, print(Layout{t.blocked}));
      const auto place = memory.find(t.name);
      if (place == memory.end() || !(hasBatch(t) || !place->second.layout.blocked.empty())) continue;
      out += fmt::format("  {}: {}\n", t.name, print(place->second.layout));
    }
    return out + "}\n";
  }

  /// Reads of weights that lie otherwise than the clause wants.
  std::vector<Repack> repacks() const {
    std::vector<Repack> list;
    for (const Formula &f : g.formulas)
      for (std::size_t c = 0; c < f.clauses.size(); ++c) {
        const Clause &clause = f.clauses[c];
        if (!hasBatch(g.tensors[f.target])) continue;
        for (std::size_t n = 0; n < clause.body.nodes.size(); ++n) {
          const Node &node = clause.body.nodes[n];
          if (node.kind != Node::Kind::Read || hasBatch(g.tensors[node.id])) continue;
          const std::vector<int> wanted = blockedDimensions(f, clause, node.id, node.map);
          const bool local = g.tensors[node.id].kind == TensorKind::Local;
          if (!wanted.empty() && !(local && weightLayout(node.id) == wanted))
            list.push_back({f.target, static_cast<int>(c), static_cast<int>(n), node.id, wanted});
        }
      }
    return list;
  }

 private:
  /// A parameter is read through a copy, which nothing else reads.
  bool inStoreOrPlain(int tensor, int d) const {
    return g.tensors[tensor].kind != TensorKind::Local || plainEverywhere(tensor, d);
  }

  const Graph &g;
  std::map<int, std::vector<Access>> accesses;
  std::map<int, int> channel; // of batch Locals: the dimension that is blocked, -1: none
  std::map<int, int> candidates; // the dimension that may be
  std::map<int, int> segment; // of channel tensors: towards the one that stands for all of its segment
  std::set<int> deep;         // depends on a contraction
  std::set<int> touched;      // its segment, by a contraction
};

} // namespace

bool isContraction(const Formula &f, const Clause &c) {
  if (f.op != Combine::Sum) return false;
  const Node &root = c.body.nodes[c.body.root];
  if (root.kind != Node::Kind::Call || root.fn != Fn::Mul || root.args[0] == root.args[1]) return false;
  return std::all_of(root.args.begin(), root.args.end(),
                     [&](int a) { return c.body.nodes[a].kind == Node::Kind::Read; }) &&
         !c.reduction().empty();
}

void packWeights(Graph &g) {
  std::vector<Repack> repacks;
  {
    LayoutPlanner planner(g);
    planner.plan();
    repacks = planner.repacks();
  }
  std::map<std::pair<int, std::vector<int>>, int> packed;
  for (const Repack &r : repacks) {
    int &copy = packed.try_emplace({r.tensor, r.layout}, -1).first->second;
    if (copy < 0) {
      copy = addCopy(g, g.tensors[r.tensor].name + ".packed", r.tensor);
      const auto reader = std::find_if(g.formulas.begin(), g.formulas.end(),
                                       [&](const Formula &f) { return f.target == r.formula; });
      std::rotate(reader, g.formulas.end() - 1, g.formulas.end());
    }
    g.definition(r.formula)->clauses[r.clause].body.nodes[r.node].id = copy;
  }
}

std::string layoutsText(const Graph &g) {
  LayoutPlanner candidates(g);
  candidates.findChannels();
  return candidates.describe(planLayouts(g));
}

std::map<std::string, Placement> planLayouts(const Graph &g) {
  std::map<std::string, Placement> memory = LayoutPlanner(g).plan();
  for (std::size_t slot = 0; slot < g.results.size(); ++slot)
    memory[g.tensors[g.results[slot].tensor].name] = {
        Placement::Kind::Output, {}, static_cast<std::int64_t>(slot), {}};
  for (const graph::Next &n : g.next)
    memory[g.tensors[n.value].name] = {Placement::Kind::InPlace, {}, 0, g.tensors[n.state].name};
  followStore(g, memory);
  return memory;
}

} // namespace netc::schedule
