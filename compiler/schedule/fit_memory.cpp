#include "compiler/schedule/fit_memory.h"

#include "compiler/loop/loop.h"
#include "compiler/schedule/formula_index.h"
#include "compiler/schedule/liveness.h"
#include "compiler/schedule/plan.h"
#include "compiler/schedule/plan_parts.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <set>

namespace netc::schedule {

using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Module;
using graph::Node;

namespace {

constexpr const char *recomputed = "computed again";
constexpr std::size_t namedValues = 6; // in a message
constexpr int mostTries = 400;

std::int64_t workspaceEnd(const Graph &g, const Schedule &s) {
  std::int64_t end = 0, part = 0;
  for (std::size_t t = 0; t < g.tensors.size(); ++t) {
    const auto p = s.memory.find(g.tensors[t].name);
    if (p == s.memory.end() || (!inArena(p->second) && p->second.kind != Placement::Kind::Part)) continue;
    std::int64_t &most = p->second.kind == Placement::Kind::Part ? part : end;
    most = std::max(most, p->second.offset + workspaceBytes(g, s, static_cast<int>(t)));
  }
  return end + loop::parts * part;
}

/// An entry with its plan, and how much of it lies above the limit.
struct Plan {
  Graph graph;
  Schedule schedule;
  Liveness alive;
  std::int64_t end = 0;
  double excess = 0; // bytes alive above the limit, summed over all times

  Plan(const Graph &g, const Target &target, std::int64_t limit)
      : graph(g), schedule(plan(graph, target)), alive(liveness(graph, schedule)) {
    end = workspaceEnd(graph, schedule);
    for (std::size_t k = 0; k < alive.kernels.size(); ++k)
      excess += static_cast<double>(std::max<std::int64_t>(alive.at(static_cast<int>(k)) - limit, 0));
  }
  Plan(const Plan &) = delete; // `alive` points into `schedule`
};

/// The values alive at a time, largest first.
std::vector<Life> aliveAt(const Plan &p, int time) {
  std::vector<std::pair<std::int64_t, Life>> list;
  for (const Place &place : p.alive.places)
    if (place.first <= time && time <= place.last) {
      const auto holder = std::find_if(place.lives.begin(), place.lives.end(), [&](const Life &l) { return p.alive.time[l.last] >= time; });
      list.push_back({place.bytes, holder == place.lives.end() ? place.lives.back() : *holder});
    }
  std::stable_sort(list.begin(), list.end(), [](const auto &a, const auto &b) { return a.first > b.first; });
  std::vector<Life> lives;
  for (auto &[bytes, life] : list) lives.push_back(life);
  return lives;
}

[[noreturn]] void doesNotFit(const Plan &p, const MemoryLimit &limit) {
  const int peak = p.alive.kernels.empty() ? 0 : p.alive.peak();
  std::string values;
  Location at;
  if (!p.alive.kernels.empty()) {
    const std::vector<Life> alive = aliveAt(p, peak);
    for (std::size_t i = 0; i < alive.size() && i < namedValues; ++i)
      values += fmt::format("{}{} ({})", i ? ", " : "", p.graph.tensors[alive[i].tensor].name,
                            workspaceBytes(p.graph, p.schedule, alive[i].tensor));
    if (alive.size() > namedValues) values += fmt::format(" and {} more", alive.size() - namedValues);
    at = p.graph.definition(p.graph.find(p.alive.kernels[peak]->formula))->location;
  }
  throw Misfit(
      at,
      fmt::format("--max-memory: {} needs at least {} bytes, but {} are given; {} are for parameters, states and calls, and while '{}' is "
                  "computed these are alive: {}",
                  p.graph.name, limit.outside + p.end, limit.most, limit.outside,
                  p.alive.kernels.empty() ? "" : p.alive.kernels[peak]->formula, values));
}

/// Number of the first kernel of each formula.
std::vector<int> kernelOf(const Plan &p) {
  const FormulaIndex formulas(p.graph);
  std::vector<int> at(p.graph.tensors.size(), -1);
  for (std::size_t k = p.alive.kernels.size(); k-- > 0;)
    for (int t : formulas.computedBy(*p.alive.kernels[k])) at[t] = static_cast<int>(k);
  return at;
}

/// The first kernel that may find the store changed.
int commitKernel(const Schedule &s) {
  std::size_t kernels = 0;
  for (int i = 0; i < s.commit; ++i) kernels += s.run[static_cast<std::size_t>(i)].leaves.size();
  return static_cast<int>(kernels);
}

/// What reads the tensor after a time reads a second one, which is computed just before. Nothing when that cannot be.
std::optional<Graph> recompute(const Plan &p, int tensor, int time) {
  Graph g = p.graph;
  const Formula *made = g.definition(tensor);
  if (!made || made->op != Combine::Assign || made->clauses.size() != 1) return std::nullopt;
  const std::vector<int> at = kernelOf(p);
  Formula again = *made;
  graph::Tensor t = g.tensors[tensor];
  t.name += ".again";
  again.target = g.addTensor(std::move(t));
  again.origin = recomputed;
  std::ptrdiff_t before = -1;
  for (std::size_t f = 0; f < g.formulas.size(); ++f) {
    Formula &reader = g.formulas[f];
    if (!reads(reader, tensor) || p.alive.time[at[reader.target]] <= time) continue;
    if (at[reader.target] >= commitKernel(p.schedule)) return std::nullopt;
    if (before < 0) before = static_cast<std::ptrdiff_t>(f);
    for (Clause &c : reader.clauses)
      for (Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read && n.id == tensor) n.id = again.target;
  }
  const bool stillRead = std::any_of(g.formulas.begin(), g.formulas.end(), [&](const Formula &f) { return reads(f, tensor); });
  if (before < 0 || !stillRead) return std::nullopt;
  g.formulas.insert(g.formulas.begin() + before, std::move(again));
  return g;
}

/// The numeric plan and the layouts of what both have.
bool sameBits(const Graph &a, const Graph &b) {
  const std::vector<Numeric> x = planNumeric(a), y = planNumeric(b);
  const auto layoutA = planLayouts(a), layoutB = planLayouts(b);
  return x == y && std::all_of(layoutA.begin(), layoutA.end(), [&](const auto &l) {
           const auto other = layoutB.find(l.first);
           return other != layoutB.end() && other->second.layout == l.second.layout;
         });
}

class Fitter {
 public:
  Fitter(const Target &target, std::int64_t budget) : target(target), budget(budget) {}

  std::unique_ptr<Plan> fit(const Graph &g) {
    auto best = std::make_unique<Plan>(g, target, budget);
    for (int tries = 0; best->end > budget && tries < mostTries;) {
      std::unique_ptr<Plan> better = improve(*best, tries);
      if (!better) break;
      best = std::move(better);
    }
    return best;
  }

 private:
  /// The largest value that is alive, but not used, at the worst time, and can be computed again at a profit.
  std::unique_ptr<Plan> improve(const Plan &p, int &tries) {
    if (p.alive.kernels.empty()) return nullptr;
    const int peak = p.alive.peak();
    for (const Life &l : aliveAt(p, peak)) {
      const std::string &name = p.graph.tensors[l.tensor].name;
      if (refused.count(name)) continue;
      if (p.alive.time[l.first] < peak && p.alive.time[l.last] > peak) {
        std::optional<Graph> changed = recompute(p, l.tensor, peak);
        if (changed && sameBits(p.graph, *changed)) {
          ++tries;
          auto next = std::make_unique<Plan>(*changed, target, budget);
          if (next->excess < p.excess || (next->excess == p.excess && next->end < p.end)) return next;
        }
      }
      refused.insert(name);
    }
    return nullptr;
  }

  const Target &target;
  const std::int64_t budget;
  std::set<std::string> refused;
};

/// The smallest plan that can be had, to 1 %, where fitting into the budget has `reached` a larger one: a larger budget may lead to a
/// smaller plan, because other values are computed again.
std::unique_ptr<Plan> smallest(const Graph &g, const Target &target, std::int64_t budget, std::int64_t reached) {
  const auto fitted = [&](std::int64_t to) { return Fitter(target, to).fit(g); };
  std::int64_t tooSmall = std::max<std::int64_t>(budget, 0);
  std::unique_ptr<Plan> best = fitted(reached);
  if (best->end > reached) best = std::make_unique<Plan>(g, target, budget); // fits what it takes
  while ((best->end - tooSmall) * 100 > best->end) {
    const std::int64_t between = tooSmall + (best->end - tooSmall) / 2;
    if (std::unique_ptr<Plan> smaller = fitted(between); smaller->end <= between) best = std::move(smaller);
    else tooSmall = between;
  }
  return best;
}

} // namespace

void fitMemory(Module &m, const Target &target, const MemoryLimit &limit) {
  if (limit.most == 0) return;
  const std::int64_t budget = limit.most - limit.outside;
  std::unique_ptr<Plan> worst; // of those that do not fit
  for (Graph &g : m.entries) {
    std::unique_ptr<Plan> fitted = Fitter(target, budget).fit(g);
    if (fitted->end > budget) {
      fitted = smallest(g, target, budget, fitted->end);
      if (!worst || fitted->end > worst->end) worst = std::move(fitted);
    } else {
      g = fitted->graph;
    }
  }
  if (worst) doesNotFit(*worst, limit);
}

bool isRecomputed(const Formula &f) { return f.origin == recomputed; }

} // namespace netc::schedule
