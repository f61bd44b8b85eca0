#include "compiler/driver/entry_tuner.h"

#include "compiler/driver/interrupt.h"
#include "compiler/loop/passes.h"
#include "compiler/schedule/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace netc::driver {
namespace {

constexpr std::size_t survivors = 8;       // candidates of a kernel
constexpr double worthwhile = 0.003;       // of the entry's time: less is not tuned
constexpr double hopeless = 1.15;          // times the fastest: takes no more turns
constexpr double clearly = 0.97;           // of the time that the schedule's own leaf takes
constexpr std::size_t sharesRounds = 5, raceRounds = 12, duelRounds = 25;
constexpr std::chrono::milliseconds leastMeasuring{500};
constexpr double unknown = std::numeric_limits<double>::max();

} // namespace

EntryTuner::EntryTuner(CompiledModel &model, const loop::Program &program, const graph::Graph &graph,
                       const schedule::Schedule &planned, const Target &target, const void *const *inputs)
    : model(model), program(program), entry(*program.entry(planned.entry)), graph(graph), tuned(planned), target(target),
      clock(model, planned.entry, inputs) {}

std::size_t EntryTuner::Contest::fastest() const {
  return static_cast<std::size_t>(std::min_element(best.begin(), best.end()) - best.begin());
}

bool EntryTuner::over(Clock::time_point deadline) const { return interrupted() || Clock::now() > deadline; }

/// Kernels that take a part of the entry's time worth the trouble, and that can be run in several ways.
void EntryTuner::open(const std::map<std::string, schedule::Leaf> &known, Clock::time_point deadline) {
  std::vector<double> times(entry.kernels.size(), unknown);
  for (std::size_t round = 0; round < sharesRounds; ++round) {
    const std::vector<double> now = clock.run(clock.stages());
    std::transform(times.begin(), times.end(), now.begin(), times.begin(), [](double a, double b) { return std::min(a, b); });
  }
  const double all = std::accumulate(times.begin(), times.end(), 0.0);
  std::map<std::string, Contest> byLikeness;
  std::size_t kernel = 0;
  for (std::size_t group = 0; group < tuned.run.size(); ++group)
    for (std::size_t leaf = 0; leaf < tuned.run[group].leaves.size(); ++leaf, ++kernel) {
      const Place place{kernel, group, leaf};
      const std::string likeness = schedule::likeness(graph, tuned, group, leaf);
      if (const auto sibling = known.find(likeness); sibling != known.end()) {
        leafAt(place) = schedule::inTheWayOf(sibling->second, leafAt(place));
      } else if (!likeness.empty()) {
        Contest &c = byLikeness.try_emplace(likeness, Contest{place, likeness, {}}).first->second;
        c.alike.push_back(place);
        c.seconds += times[kernel];
      }
    }
  for (auto &[likeness, c] : byLikeness)
    if (c.seconds >= worthwhile * all) contests.push_back(std::move(c));
  std::stable_sort(contests.begin(), contests.end(), [](const Contest &a, const Contest &b) { return a.seconds > b.seconds; });
  for (Contest &c : contests) {
    if (over(deadline)) break;
    say("candidates");
    c.candidates = schedule::candidates(graph, tuned, target, program, entry, c.place.group, c.place.leaf, survivors);
    c.stages = {clock.stages()[c.place.kernel]};
  }
  std::erase_if(contests, [](const Contest &c) { return c.candidates.size() < 2; });
}

/// No two tensors would get in each other's way if all kernels ran in the way of that candidate.
bool EntryTuner::fits(std::size_t place) const {
  loop::Entry changed = entry;
  for (const Contest &c : contests)
    if (c.candidates.size() > place) changed.kernels[c.place.kernel] = c.candidates[place].kernel;
  return schedule::checkMemory(changed, program.batch).empty();
}

/// The second candidates of all kernels, then the third ones, and so on.
void EntryTuner::compile(Clock::time_point deadline) {
  for (std::size_t place = 1; place < survivors && !over(deadline); ++place) {
    say(fmt::format("compiling, {} of {}", place, survivors - 1));
    loop::Program some = program;
    some.target = target.name;
    some.entries = {entry};
    loop::Entry &alone = some.entries[0];
    alone.kernels.clear();
    std::vector<Contest *> of;
    for (Contest &c : contests) {
      if (c.candidates.size() <= place) continue;
      of.push_back(&c);
      alone.kernels.push_back(c.candidates[place].kernel);
      alone.kernels.back().depthFirst = false;
      loop::unroll(alone.kernels.back(), program.batch);
    }
    if (of.empty() || !fits(place)) return;
    alone.commit = static_cast<int>(alone.kernels.size());
    compiled.push_back(std::make_unique<codegen::Jit>(some));
    const NetcStage *stages = compiled.back()->model()->targets[0].entries[0].stages;
    for (std::size_t i = 0; i < of.size(); ++i) {
      of[i]->stages.push_back(stages[i]);
      const NetcStage &own = clock.stages()[of[i]->place.kernel];
      of[i]->stages.back().depthFirst = own.depthFirst;
      of[i]->stages.back().turns = own.turns;
    }
  }
}

/// Whole steps, in each of which every kernel runs in the way whose turn it is.
void EntryTuner::measure(std::size_t rounds, Clock::time_point deadline, const std::string &what) {
  std::size_t most = 0;
  for (Contest &c : contests) {
    c.best.assign(c.stages.size(), unknown);
    most = std::max(most, c.running.size());
  }
  const auto start = Clock::now();
  for (std::size_t turn = 0; !over(deadline) && (turn < rounds * most || Clock::now() - start < leastMeasuring); ++turn) {
    say(fmt::format("{}, step {}", what, turn + 1));
    std::vector<NetcStage> stages = clock.stages();
    const auto at = [&](const Contest &c) { return c.running[(turn + c.place.kernel) % c.running.size()]; };
    for (const Contest &c : contests) stages[c.place.kernel] = c.stages[at(c)];
    const std::vector<double> times = clock.run(stages);
    for (Contest &c : contests) c.best[at(c)] = std::min(c.best[at(c)], times[c.place.kernel]);
    if (turn % (2 * survivors) == 2 * survivors - 1) dropTheSlow();
  }
}

/// The schedule's own leaf stays: it is what the others are compared with.
void EntryTuner::dropTheSlow() {
  for (Contest &c : contests) {
    const double best = c.best[c.fastest()];
    std::erase_if(c.running, [&](std::size_t i) { return i > 0 && c.best[i] > hopeless * best; });
  }
}

void EntryTuner::decide() {
  for (const Contest &c : contests) {
    const std::size_t fastest = c.fastest();
    if (c.best[0] == unknown || c.best[fastest] == unknown) continue;
    const bool better = c.best[fastest] < clearly * c.best[0];
    const schedule::Leaf own = leafAt(c.place), kept = c.candidates[better ? fastest : 0].leaf;
    results.push_back({tuned.entry, c.likeness, own, kept, c.best[0], c.best[better ? fastest : 0], c.stages.size(), c.alike.size()});
    for (const Place &p : c.alike) leafAt(p) = schedule::inTheWayOf(kept, leafAt(p));
  }
}

void EntryTuner::run(const std::map<std::string, schedule::Leaf> &known, Clock::time_point deadline,
                     const std::function<void(const std::string &)> &report) {
  say = [&](const std::string &what) { report(fmt::format("{}: {} kernels, {}", tuned.entry, contests.size(), what)); };
  const auto before = deadline - Clock::now();
  open(known, Clock::now() + before / 3);
  if (contests.empty()) return;
  const auto rest = deadline - Clock::now();
  compile(Clock::now() + rest / 2);
  for (Contest &c : contests) {
    c.running.resize(c.stages.size());
    std::iota(c.running.begin(), c.running.end(), 0);
  }
  measure(raceRounds, deadline - rest / 6, "all in turn");
  // The minimum of many samples is a lucky one: the fastest has to win again, against the schedule's own alone.
  if (!over(deadline)) {
    for (Contest &c : contests) {
      const std::size_t fastest = c.fastest();
      c.running = {0};
      if (fastest > 0) c.running.push_back(fastest);
    }
    measure(duelRounds, deadline, "the fastest against the cost model's");
  }
  decide();
}

schedule::Schedule EntryTuner::schedule() const { return tuned; }

} // namespace netc::driver
