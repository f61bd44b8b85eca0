// netc tune: measures what the cost model thinks of each kernel, and writes the schedule of all entries that came out best.
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/entry_tuner.h"
#include "compiler/driver/interrupt.h"
#include "compiler/driver/outputs.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/random_batch.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <unistd.h>

namespace netc::driver {
namespace {

using Clock = EntryTuner::Clock;

/// One line on a terminal that is rewritten, at most ten times a second.
class LiveLine {
public:
  explicit LiveLine(bool quiet) : live(!quiet && isatty(STDOUT_FILENO)) {}
  ~LiveLine() {
    if (live) std::fputs("\r\033[K", stdout);
  }
  void show(const std::string &text) {
    if (!live || Clock::now() - last < std::chrono::milliseconds(100)) return;
    last = Clock::now();
    fmt::print("\r\033[K{}", text);
    std::fflush(stdout);
  }

private:
  bool live;
  Clock::time_point last;
};

struct Tuning {
  std::vector<schedule::Schedule> schedules; // in the order of the entries
  std::vector<Tuned> found;
};

/// The entries with most kernels first: others share theirs.
std::vector<std::size_t> mostKernelsFirst(const loop::Program &program) {
  std::vector<std::size_t> order(program.entries.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return program.entries[a].kernels.size() > program.entries[b].kernels.size();
  });
  return order;
}

Tuning tune(const Options &o, const std::string &name) {
  const std::string machine = describedTarget(name);
  const graph::Module optimized = optimizedGraph(o);
  Scheduled planned = scheduled(o, machine);
  for (schedule::Schedule &s : planned.schedules) s.target = machine; // one of --schedule may be for another
  const loop::Program program = lowered(optimized, machine, o, planned.schedules);
  CompiledModel model(unrolled({program})[0], o);
  RandomBatch batch(model, static_cast<std::uint64_t>(o.seed));
  const Target target = findTarget(machine);
  const auto deadline = Clock::now() + std::chrono::seconds(o.budget);
  Tuning result{planned.schedules, {}};
  const bool silent = o.quiet || o.json;
  if (!silent) fmt::print("{}, batch {}, {}, for at most {} s\n", program.name, program.batch, machine, o.budget);
  std::fflush(stdout);
  std::map<std::string, schedule::Leaf> known;
  LiveLine line(silent);
  const auto say = [&](const std::string &what) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(deadline - Clock::now()).count();
    line.show(fmt::format("{}  at most {} s left", what, std::max<std::int64_t>(left, 0)));
  };
  for (std::size_t e : mostKernelsFirst(program)) {
    EntryTuner tuner(model, program, planned.module.entries[e], planned.schedules[e], target, batch.data());
    tuner.run(known, deadline, say);
    result.schedules[e] = tuner.schedule();
    for (const Tuned &t : tuner.found()) {
      known[t.likeness] = t.kept;
      result.found.push_back(t);
    }
  }
  lowered(optimized, machine, o, result.schedules); // all checks once more
  return result;
}

void reportJson(const Tuning &tuning) {
  for (const Tuned &t : tuning.found)
    fmt::print("{{\"entry\": {}, \"planned_ms\": {}, \"tuned_ms\": {}, \"candidates\": {}, \"kernels\": {}, \"schedule\": {}}}\n",
               jsonString(t.entry), jsonNumber(t.ownSeconds * 1e3), jsonNumber(t.seconds * 1e3), t.tried, t.leaves,
               jsonString(schedule::print(t.kept)));
}

void report(const Tuning &tuning) {
  if (interrupted()) fmt::print("interrupted: what was not measured stays as planned\n");
  std::vector<Tuned> sorted = tuning.found;
  const auto saved = [](const Tuned &t) { return t.ownSeconds - t.seconds; };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Tuned &a, const Tuned &b) { return saved(a) > saved(b); });
  fmt::print("kernels (ms as planned, tuned, ratio, candidates, kernels of this kind; the schedule that is kept)\n");
  double logs = 0;
  for (const Tuned &t : sorted) {
    logs += std::log(t.ownSeconds / t.seconds);
    fmt::print("{:9.4f} {:9.4f} {:5.2f} {:2} {:3}  {}: {}\n", t.ownSeconds * 1e3, t.seconds * 1e3, t.ownSeconds / t.seconds, t.tried,
               t.leaves, t.entry, schedule::print(t.kept));
  }
  if (sorted.empty()) return;
  fmt::print("geometric mean of the ratios: {:.3f}, {} kernels\n", std::exp(logs / static_cast<double>(sorted.size())), sorted.size());
}

} // namespace

int tuneCommand(const Options &o) {
  const std::string output = o.output.empty() ? std::filesystem::path(o.input).stem().string() + ".sched" : o.output;
  if (inputKind(o.input) == InputKind::Loops) throw UserError(fmt::format("'{}' is beyond scheduling", o.input));
  requireWritable(output);
  catchInterrupts();
  const Tuning tuning = tune(o, hostTarget(o));
  std::string text;
  for (const schedule::Schedule &s : tuning.schedules) text += schedule::print(s);
  writeFile(output, text + signature("schedule"));
  if (o.json) reportJson(tuning);
  else if (!o.quiet) report(tuning);
  return 0;
}

} // namespace netc::driver
