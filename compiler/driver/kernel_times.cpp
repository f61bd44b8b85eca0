#include "compiler/driver/kernel_times.h"

#include "compiler/driver/peak.h"
#include "compiler/loop/lane_operations.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <set>
#include <string_view>

namespace netc::driver {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

void collectBuffers(const loop::Block &block, std::set<int> &to) {
  for (const loop::StatementPtr &s : block) {
    if (auto *l = std::get_if<loop::Load>(&s->node)) to.insert(l->buffer);
    if (auto *st = std::get_if<loop::Store>(&s->node)) to.insert(st->buffer);
    if (auto *f = std::get_if<loop::For>(&s->node)) collectBuffers(f->body, to);
    if (auto *i = std::get_if<loop::If>(&s->node)) collectBuffers(i->body, to);
  }
}

KernelTime describe(const loop::Entry &entry, const loop::Kernel &k) {
  KernelTime t;
  t.name = k.name;
  t.flops = k.flops;
  t.formula = k.comment.empty() ? "" : k.comment.front();
  constexpr std::string_view mark = "schedule ";
  for (const std::string &line : k.comment)
    if (line.starts_with(mark)) t.schedule = line.substr(mark.size());
  std::set<int> touched;
  collectBuffers(k.body, touched);
  for (int b : touched) {
    const loop::Buffer &buffer = entry.buffers[static_cast<std::size_t>(b)];
    t.bytes += static_cast<double>(buffer.size * byteSize(buffer.type));
  }
  return t;
}

std::vector<float> scalarValues(const loop::Entry &entry, double count) {
  std::vector<float> values;
  for (const RuntimeScalar &s : entry.scalars)
    values.push_back(s.name == "lr" || s.name.starts_with("lr.") ? 0 : static_cast<float>(evaluate(s.program, {count, 0, 0, 1})));
  return values;
}

struct AlignedMemory {
  explicit AlignedMemory(std::int64_t size)
      : bytes(static_cast<unsigned char *>(std::aligned_alloc(64, static_cast<std::size_t>(size + 63) / 64 * 64 + 64)),
              std::free) {
    std::memset(bytes.get(), 0, static_cast<std::size_t>(size));
  }
  std::unique_ptr<unsigned char, void (*)(void *)> bytes;
};

} // namespace

static double threadSeconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

/// What a clock shows of nothing: as much as a small kernel takes.
static double emptySeconds() {
  double best = 1;
  for (int i = 0; i < 1000; ++i) best = std::min(best, since(Clock::now()));
  return best;
}

Stopwatch::Stopwatch() : used(threadSeconds()), begin(Clock::now()) {}

double Stopwatch::seconds() const {
  constexpr double interrupted = 2e-3, least = 1e-9; // the clock's own unit
  static const double empty = emptySeconds();
  const double passed = since(begin);
  return passed < interrupted ? std::max(passed - empty, least) : threadSeconds() - used;
}

struct KernelClock::State {
  State(CompiledModel &model, const std::string &name, const void *const *inputs)
      : loops(*model.entry(name)), store(model.program().storeBytes), workspace(loops.workspaceBytes),
        scalars(scalarValues(loops, static_cast<double>(model.program().batch))) {
    const NetcEntry &entry = *model.core().entry(name.c_str());
    stages.assign(entry.stages, entry.stages + entry.stageCount);
    std::memcpy(store.bytes.get(), model.core().store(), static_cast<std::size_t>(model.program().storeBytes));
    for (const loop::Result &r : loops.results) {
      std::int64_t size = byteSize(r.type);
      for (std::int64_t e : r.shape) size *= e;
      outputs.emplace_back(size);
      slots.push_back(outputs.back().bytes.get());
    }
    frame = {store.bytes.get(), workspace.bytes.get(), inputs, slots.data(), scalars.data(), model.program().batch, nullptr,
             workspace.bytes.get() + loops.sharedBytes(), 0};
  }

  /// stages[first ... first + length), which run depth first.
  void chain(const NetcStage *list, std::size_t length, double *times) {
    for (frame.turn = 0; frame.turn < list->turns; ++frame.turn)
      for (std::size_t s = 0; s < length; ++s) iterate(list + s, 1, times + s);
    frame.turn = 0;
    if (list->turns == 0) iterate(list, length, times);
    for (std::size_t s = 0; s < length; ++s) unpeaked += times[s];
    if (unpeaked < 1e-3) return;
    peak = std::max(peak, samplePeak(1));
    unpeaked = 0;
  }

  void iterate(const NetcStage *list, std::size_t length, double *times) {
    const NetcStage &lead = list[0];
    const std::int64_t iterations = lead.perBlock * ((frame.count + 15) / 16) + lead.perFullBlock * (frame.count / 16) +
                                    lead.perCount * frame.count + lead.fixed;
    const std::int64_t step = length == 1 ? iterations : 1;
    for (std::int64_t at = 0; at < iterations; at += step)
      for (std::size_t s = 0; s < length; ++s) {
        const Stopwatch watch;
        netcRunStage(list + s, frame, at, at + step);
        times[s] += watch.seconds();
      }
  }

  const loop::Entry &loops;
  std::vector<NetcStage> stages;
  const AlignedMemory store, workspace;
  std::vector<AlignedMemory> outputs;
  std::vector<void *> slots;
  const std::vector<float> scalars;
  NetcFrame frame{};
  double peak = 0;
  double unpeaked = 0; // seconds since the last sample of the peak
};

KernelClock::KernelClock(CompiledModel &model, const std::string &entry, const void *const *inputs)
    : state(std::make_unique<State>(model, entry, inputs)) {}
KernelClock::~KernelClock() = default;

const std::vector<NetcStage> &KernelClock::stages() const { return state->stages; }
double KernelClock::peak() const { return state->peak; }

std::vector<double> KernelClock::run(const std::vector<NetcStage> &stages) {
  loop::FlushDenormals mode; // as in a step
  std::vector<double> times(stages.size());
  for (std::size_t i = 0; i < stages.size();) {
    std::size_t length = 1;
    while (i + length < stages.size() && stages[i + length - 1].depthFirst) ++length;
    state->chain(&stages[i], length, &times[i]);
    i += length;
  }
  return times;
}

KernelTimes timeKernels(CompiledModel &model, const std::string &name, const void *const *inputs, double seconds) {
  const loop::Entry &loops = *model.entry(name);
  KernelTimes result;
  for (const loop::Kernel &k : loops.kernels) result.kernels.push_back(describe(loops, k));
  KernelClock clock(model, name, inputs);
  std::vector<double> best(result.kernels.size(), 1e9);
  int done = 0;
  for (const auto start = Clock::now(); since(start) < seconds || done < 3; ++done) {
    const std::vector<double> times = clock.run(clock.stages());
    for (std::size_t k = 0; k < best.size(); ++k) best[k] = std::min(best[k], times[k]);
  }
  for (std::size_t k = 0; k < best.size(); ++k) result.kernels[k].ms = best[k] * 1e3;
  result.peak = clock.peak();
  return result;
}

} // namespace netc::driver
