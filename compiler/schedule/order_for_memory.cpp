// The order of the kernels before the commit, changed where that needs less memory.
#include "compiler/schedule/formula_index.h"
#include "compiler/schedule/liveness.h"
#include "compiler/schedule/plan_parts.h"

#include <algorithm>
#include <set>

namespace netc::schedule {

using graph::Graph;
using graph::Node;

namespace {

constexpr int mostBudgets = 12; // tried; each halves what is left between too little and enough

/// What stays together: a tiled group, or the leaves of one formula.
struct Item {
  Group group;
  std::set<int> makes, reads; // tensors that items make
  std::int64_t bytes = 0;     // of what it makes
};

std::vector<Item> itemsOf(const Schedule &s) {
  std::vector<Item> items;
  for (int i = 0; i < s.commit; ++i) {
    const Group &group = s.run[i];
    if (group.tile > 0) {
      items.push_back({group, {}, {}, 0});
      continue;
    }
    for (const Leaf &leaf : group.leaves) {
      const bool same = !items.empty() && items.back().group.tile == 0 && items.back().group.leaves.back().formula == leaf.formula;
      if (!same) items.emplace_back();
      items.back().group.leaves.push_back(leaf);
    }
  }
  return items;
}

class Orderer {
 public:
  Orderer(const Graph &g, const Schedule &s)
      : g(g), s(s), formulas(g), items(itemsOf(s)), maker(g.tensors.size(), -1), bytes(g.tensors.size()), readers(g.tensors.size()) {
    for (std::size_t i = 0; i < items.size(); ++i)
      for (const Leaf &leaf : items[i].group.leaves)
        for (int t : formulas.computedBy(leaf)) items[i].makes.insert(t), maker[t] = static_cast<int>(i);
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (const Leaf &leaf : items[i].group.leaves)
        for (int t : formulas.computedBy(leaf)) addReads(t, items[i].reads);
      for (int t : items[i].reads) ++readers[t];
    }
    for (std::size_t i = s.commit; i < s.run.size(); ++i) // what updates read lives until the commit at least
      for (const Leaf &leaf : s.run[i].leaves)
        for (int t : formulas.computedBy(leaf)) {
          std::set<int> kept;
          addReads(t, kept);
          for (int k : kept) readers[k] += 1 << 20;
        }
    for (std::size_t t = 0; t < g.tensors.size(); ++t)
      if (const auto p = s.memory.find(g.tensors[t].name); p != s.memory.end() && inArena(p->second))
        bytes[t] = workspaceBytes(g, s, static_cast<int>(t));
    for (Item &item : items)
      for (int t : item.makes) item.bytes += bytes[t];
  }

  /// What reads nothing of this step, such as copies of weights, comes right before its first reader.
  Schedule late() const {
    std::vector<int> order;
    std::vector<bool> done(items.size());
    const auto place = [&](int i) {
      if (!done[i]) order.push_back(i);
      done[i] = true;
    };
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (canWait(items[i])) continue;
      for (int t : items[i].reads)
        if (canWait(items[maker[t]])) place(maker[t]);
      place(static_cast<int>(i));
    }
    return ordered(order);
  }

  /// In the given order as far as that fits the budget; else first what does, or needs the least.
  Schedule within(std::int64_t budget) const {
    std::vector<int> left = readers;
    std::vector<bool> done(items.size());
    std::vector<int> order;
    std::int64_t live = 0;
    while (order.size() < items.size()) {
      int best = -1;
      std::int64_t least = 0;
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (done[i] || !ready(items[i], done)) continue;
        const std::int64_t needs = live + items[i].bytes;
        if (best < 0 || needs < least) best = static_cast<int>(i), least = needs;
        if (needs <= budget) break;
      }
      done[best] = true;
      order.push_back(best);
      live += items[best].bytes - freed(items[best], left);
    }
    return ordered(order);
  }

 private:
  void addReads(int target, std::set<int> &to) const {
    for (const graph::Clause &c : formulas.definition(target)->clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read && maker[n.id] >= 0) to.insert(n.id);
  }
  /// It reads nothing that is made in this step, and some item reads what it makes.
  bool canWait(const Item &item) const {
    return item.group.tile == 0 && item.reads.empty() && std::any_of(item.makes.begin(), item.makes.end(), [&](int t) {
             return std::any_of(items.begin(), items.end(), [&](const Item &reader) { return reader.reads.count(t) > 0; });
           });
  }
  bool ready(const Item &item, const std::vector<bool> &done) const {
    return std::all_of(item.reads.begin(), item.reads.end(), [&](int t) { return done[maker[t]] || item.makes.count(t); });
  }
  /// Counts the item's reads; what nobody is left to read is free.
  std::int64_t freed(const Item &item, std::vector<int> &left) const {
    std::int64_t sum = 0;
    for (int t : item.reads)
      if (--left[t] == 0) sum += bytes[t];
    for (int t : item.makes)
      if (readers[t] == 0) sum += bytes[t];
    return sum;
  }
  Schedule ordered(const std::vector<int> &order) const {
    Schedule result = s;
    result.run.clear();
    for (int i : order) {
      const Item &item = items[i];
      if (item.group.tile > 0 || result.run.empty() || result.run.back().tile > 0) {
        result.run.push_back(item.group);
        continue;
      }
      std::vector<Leaf> &leaves = result.run.back().leaves;
      leaves.insert(leaves.end(), item.group.leaves.begin(), item.group.leaves.end());
    }
    result.commit = static_cast<int>(result.run.size());
    result.run.insert(result.run.end(), s.run.begin() + s.commit, s.run.end());
    return result;
  }

  const Graph &g;
  const Schedule &s;
  const FormulaIndex formulas;
  std::vector<Item> items;
  std::vector<int> maker; // by tensor: an item
  std::vector<std::int64_t> bytes;
  std::vector<int> readers; // items
};

} // namespace

void orderForMemory(const Graph &g, Schedule &s) {
  s = Orderer(g, s).late();
  const Orderer orderer(g, s);
  Schedule best = s;
  std::int64_t enough = liveness(g, s).bound(), tooLittle = 0;
  for (int i = 0; i < mostBudgets && enough - tooLittle > enough / 64; ++i) {
    const std::int64_t budget = (enough + tooLittle) / 2;
    Schedule tried = orderer.within(budget);
    if (const std::int64_t bound = liveness(g, tried).bound(); bound < enough) enough = bound, best = std::move(tried);
    else tooLittle = budget;
  }
  s = std::move(best);
}

} // namespace netc::schedule
