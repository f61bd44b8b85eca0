// netc bench: times of the whole training step, of its kernels and of prediction, on random data in memory, against the
// machine's peak measured in between (neighbours on a shared machine slow down both).
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/flops.h"
#include "compiler/driver/kernel_times.h"
#include "compiler/driver/peak.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/random_batch.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>

namespace netc::driver {
namespace {

constexpr double secondsEach = 2, warmUpSeconds = 0.2;
constexpr double resolved = 5e-5; // milliseconds: below, a rate is one of the clock's steps

struct Times {
  double min = 0, median = 0; // milliseconds
  double peak = 0;            // GFLOP/s
};

/// Alternates units of about a millisecond of work with samples of the peak. One thread is timed while it runs, so
/// that a step longer than a time slice does not pay for neighbours; several are timed by the clock on the wall.
Times measure(int threads, const std::function<void()> &work) {
  using Clock = std::chrono::steady_clock;
  auto since = [](Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); };
  for (auto start = Clock::now(); since(start) < warmUpSeconds;) work();
  std::vector<double> times;
  Times result;
  for (auto start = Clock::now(); since(start) < secondsEach || times.size() < 5;) {
    for (auto unit = Clock::now(); since(unit) < 1e-3;) {
      const Stopwatch watch;
      const auto wall = Clock::now();
      work();
      times.push_back((threads == 1 ? watch.seconds() : since(wall)) * 1e3);
    }
    result.peak = std::max(result.peak, samplePeak(threads));
  }
  std::sort(times.begin(), times.end());
  result.min = times.front();
  result.median = times[times.size() / 2];
  return result;
}

double stepFlops(const Options &o) {
  if (inputKind(o.input) == InputKind::Loops) return 0;
  graph::Module module = sourceGraph(o);
  differentiate(module);
  return nominalFlops(*module.trainingEntry());
}

Times measurePredict(CompiledModel &model, const Options &o, const RandomBatch &batch, std::size_t count) {
  std::vector<std::vector<unsigned char>> memory;
  std::vector<void *> outputs;
  for (const loop::Result &r : model.entry("predict")->results) {
    std::size_t size = static_cast<std::size_t>(byteSize(r.type));
    for (std::int64_t e : r.shape) size *= static_cast<std::size_t>(e);
    memory.emplace_back(size);
  }
  for (auto &m : memory) outputs.push_back(m.data());
  return measure(static_cast<int>(o.threads), [&] {
    require(model.core().run("predict", batch.data(), outputs.data(), count), model.core(), "predicting");
  });
}

/// The rate is zero: thousands of steps on one random batch must not end in a loss that is not finite.
Times measureStep(CompiledModel &model, const Options &o, const RandomBatch &batch, std::size_t count) {
  model.core().setLearningRate(0);
  return measure(static_cast<int>(o.threads), [&] {
    model.core().trainStep(batch.data(), count);
    require(model.core().status(), model.core(), "training");
  });
}

std::string number(double v) { return fmt::format("{:.6g}", v); }

std::string kernelsJson(const KernelTimes &t) {
  std::string out;
  for (const KernelTime &k : t.kernels)
    out += fmt::format(
        "{}{{\"name\": {}, \"formula\": {}, \"schedule\": {}, \"ms\": {}, \"gflops\": {}, \"peak_fraction\": {}, \"bytes\": {}}}",
        out.empty() ? "" : ", ", jsonString(k.name), jsonString(k.formula), jsonString(k.schedule), number(k.ms), number(k.gflops()),
        number(t.peak > 0 ? k.gflops() / t.peak : 0), number(k.bytes));
  return out;
}

/// Slowest first. A kernel without multiply-adds is judged by the memory that it moves, one of a few nanoseconds by nothing.
std::string kernelsTable(const KernelTimes &t) {
  double total = 0;
  for (const KernelTime &k : t.kernels) total += k.ms;
  std::vector<KernelTime> sorted = t.kernels;
  std::stable_sort(sorted.begin(), sorted.end(), [](const KernelTime &a, const KernelTime &b) { return a.ms > b.ms; });
  std::string out = "kernels, slowest first (one thread; ms, share of all, GFLOP/s, fraction of peak, GB/s)\n";
  for (const KernelTime &k : sorted) {
    const double share = t.peak > 0 ? k.gflops() / t.peak : 0;
    const std::string rates = fmt::format("{:7.1f} {:5.2f} {:6.1f}", k.gflops(), share, k.bytes / k.ms * 1e-6);
    out += fmt::format("{:9.5f} {:3.0f}% {}  {}\n", k.ms, 100 * k.ms / total, k.ms < resolved ? "      -     -      -" : rates, k.formula);
  }
  return out;
}

} // namespace

int benchCommand(const Options &o) {
  CompiledModel model(o);
  RandomBatch batch(model, static_cast<std::uint64_t>(o.seed));
  auto count = static_cast<std::size_t>(model.program().batch);
  const loop::Entry *step = model.program().trainingEntry();
  bool predicts = model.entry("predict") != nullptr;
  if (!step && !predicts) throw UserError(fmt::format("'{}' has neither a train statement nor an output to time", o.input));
  Times s, p;
  if (step) s = measureStep(model, o, batch, count);
  if (predicts) p = measurePredict(model, o, batch, count);
  const KernelTimes kernels = timeKernels(model, step ? step->name : "predict", batch.data(), secondsEach);
  double peak = std::max({s.peak, p.peak, o.threads == 1 ? kernels.peak : 0}), gflops = step ? stepFlops(o) / s.min * 1e-6 : 0;
  if (o.json) {
    fmt::print("{{\"model\": \"{}\", \"batch\": {}, \"threads\": {}, \"target\": \"{}\"", model.program().name, count, o.threads,
               model.core().target());
    if (step)
      fmt::print(", \"step_ms_min\": {}, \"step_ms_median\": {}, \"step_gflops\": {}", number(s.min), number(s.median), number(gflops));
    if (predicts) fmt::print(", \"predict_ms_min\": {}, \"predict_ms_median\": {}", number(p.min), number(p.median));
    fmt::print(", \"peak_gflops\": {}, \"kernels\": [{}]}}\n", number(peak), kernelsJson(kernels));
    return 0;
  }
  fmt::print("{}, batch {}, {} thread{}, {}\n", model.program().name, count, o.threads, o.threads == 1 ? "" : "s", model.core().target());
  if (step)
    fmt::print("training step  {:.5f} ms at best, {:.5f} ms median, {:.1f} GFLOP/s ({:.2f} of peak)\n", s.min, s.median, gflops,
               gflops / peak);
  if (predicts) fmt::print("prediction     {:.5f} ms at best, {:.5f} ms median\n", p.min, p.median);
  fmt::print("peak           {:.1f} GFLOP/s\n{}", peak, o.quiet ? "" : kernelsTable(kernels));
  return 0;
}

} // namespace netc::driver
