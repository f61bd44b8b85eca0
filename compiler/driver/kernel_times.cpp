#include "compiler/driver/kernel_times.h"

#include "compiler/driver/peak.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <set>
#include <string_view>
#include <xmmintrin.h>

namespace netc::driver {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }


/// As in a step: round to nearest, denormals are zero.
class StepMode {
public:
  StepMode() : saved(_mm_getcsr()) { _mm_setcsr(0x9FC0); }
  ~StepMode() { _mm_setcsr(saved); }
  StepMode(const StepMode &) = delete;
  StepMode &operator=(const StepMode &) = delete;

private:
  unsigned saved;
};

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

class Rounds {
public:
  Rounds(const NetcEntry &entry, const NetcFrame &frame, KernelTimes &result)
      : entry(entry), frame(frame), result(result), best(static_cast<std::size_t>(entry.stageCount), 1e9) {}

  void one() {
    for (std::int64_t i = 0; i < entry.stageCount;) {
      std::int64_t length = 1;
      while (i + length < entry.stageCount && entry.stages[i + length - 1].depthFirst) ++length;
      chain(i, length);
      i += length;
    }
  }

  void finish() {
    for (std::size_t k = 0; k < best.size(); ++k) result.kernels[k].ms = best[k] * 1e3;
  }

private:
  void chain(std::int64_t first, std::int64_t length) {
    const NetcStage &lead = entry.stages[first];
    const std::int64_t blocks = (frame.count + 15) / 16;
    const std::int64_t iterations = lead.perBlock * blocks + lead.perFullBlock * (frame.count / 16) +
                                    lead.perCount * frame.count + lead.fixed;
    std::vector<double> times(static_cast<std::size_t>(length));
    const std::int64_t step = length == 1 ? iterations : 1;
    for (std::int64_t at = 0; at < iterations; at += step)
      for (std::int64_t s = 0; s < length; ++s) {
        const double begin = threadSeconds();
        netcRunStage(entry.stages + first + s, frame, at, at + step);
        times[static_cast<std::size_t>(s)] += threadSeconds() - begin;
      }
    for (std::int64_t s = 0; s < length; ++s) {
      double &t = best[static_cast<std::size_t>(first + s)];
      t = std::min(t, times[static_cast<std::size_t>(s)]);
      unpeaked += times[static_cast<std::size_t>(s)];
    }
    if (unpeaked < 1e-3) return;
    result.peak = std::max(result.peak, samplePeak(1));
    unpeaked = 0;
  }

  const NetcEntry &entry;
  const NetcFrame &frame;
  KernelTimes &result;
  std::vector<double> best;
  double unpeaked = 0; // seconds since the last sample of the peak
};

} // namespace

double threadSeconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

KernelTimes timeKernels(CompiledModel &model, const std::string &name, const void *const *inputs, double seconds) {
  const loop::Entry &loops = *model.entry(name);
  const NetcEntry &entry = *model.core().entry(name.c_str());
  KernelTimes result;
  for (const loop::Kernel &k : loops.kernels) result.kernels.push_back(describe(loops, k));
  const AlignedMemory store(model.program().storeBytes), workspace(loops.workspaceBytes);
  std::memcpy(store.bytes.get(), model.core().store(), static_cast<std::size_t>(model.program().storeBytes));
  std::vector<AlignedMemory> outputs;
  std::vector<void *> slots;
  for (const loop::Result &r : loops.results) {
    std::int64_t size = byteSize(r.type);
    for (std::int64_t e : r.shape) size *= e;
    outputs.emplace_back(size);
    slots.push_back(outputs.back().bytes.get());
  }
  const std::vector<float> scalars = scalarValues(loops, static_cast<double>(model.program().batch));
  const NetcFrame frame{store.bytes.get(), workspace.bytes.get(), inputs,
                        slots.data(),      scalars.data(),        model.program().batch, nullptr};
  StepMode mode;
  Rounds rounds(entry, frame, result);
  int done = 0;
  for (const auto start = Clock::now(); since(start) < seconds || done < 3; ++done) rounds.one();
  rounds.finish();
  return result;
}

} // namespace netc::driver
