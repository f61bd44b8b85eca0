// netc train: mini-batch training through the JIT.
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/confusion.h"
#include "compiler/driver/data_source.h"
#include "compiler/driver/feed.h"
#include "compiler/driver/graphviz.h"
#include "compiler/driver/interrupt.h"
#include "compiler/driver/outputs.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/progress.h"
#include "compiler/driver/random_batch.h"
#include "compiler/driver/report.h"
#include "compiler/driver/run_folder.h"
#include "compiler/driver/scores.h"
#include "compiler/driver/transfer.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/entry_name.h"
#include "compiler/support/figures.h"
#include "compiler/support/scalar_program.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

namespace netc::driver {
namespace {

constexpr double secondsOfTiming = 0.3; // for the report's table of kernels

std::string summary(CompiledModel &model) {
  return fmt::format("{}: {} parameters, {} of memory, compiled for {}", model.program().name, parametersIn(model),
                     bytesText(model.core().memoryBytes()), model.core().target());
}

class Training {
public:
  /// `folder` may be null.
  Training(const Options &o, CompiledModel &model, const DataParts &data, RunFolder *folder)
      : options(o), model(model), taken(o.map.empty() ? std::vector<std::string>{} : takeWeights(model, o.weights, o.map)),
        core(model.core()), data(data), folder(folder), rows(data.train.rows),
        most(static_cast<std::size_t>(model.program().batch)),
        progress(o, o.epochs, static_cast<std::int64_t>(rows)), firstWeights(firstFilters(model)) {
    std::size_t samples = every() == 0 ? most : every() < 0 ? rows : static_cast<std::size_t>(every());
    std::size_t stepsAnEpoch = (rows + samples - 1) / samples;
    allSteps = stepsAnEpoch * static_cast<std::uint64_t>(o.epochs);
    core.setSteps(allSteps);
  }

  void run() {
    progress.say("data: " + data.description);
    for (const std::string &line : data.train.description) progress.say("  " + line);
    if (data.test.rows == 0) progress.say("  no test part: all samples are trained with");
    progress.say(summary(model));
    if (const std::string &plan = model.program().trainingEntry()->plan; !plan.empty()) progress.say("train " + plan);
    for (const std::string &line : taken) progress.say(line);
    if (options.resume) resume();
    if (finished()) return;
    Feed feed(data.train, most, samplesInOrder());
    while (!finished()) epoch(feed);
  }

  /// The result. With a folder also a checkpoint, from which more epochs can go on, and a page to look at.
  void save() {
    std::vector<std::string> failures;
    auto attempt = [&](auto &&write) {
      try {
        write();
      } catch (const UserError &error) {
        failures.emplace_back(error.what());
      }
    };
    auto weights = [&](const std::string &path) {
      requireFinite(core, path);
      require(core.save(path.c_str()), core, fmt::format("writing '{}'", path));
    };
    if (folder) attempt([&] { weights(folder->weights()); });
    const bool kept = folder && failures.empty();
    if (!options.weightsOut.empty()) attempt([&] { weights(options.weightsOut); });
    if (folder) attempt([&] { folder->checkpoints().save(core, position, rows); });
    if (folder) attempt([&] { folder->report(reportPage(model, record())); });
    if (failures.empty()) return;
    std::string all = failures[0];
    if (folder) all += "; " + folder->checkpoints().last();
    if (kept) all += fmt::format("; the weights are in '{}'", folder->weights());
    for (std::size_t i = 1; i < failures.size(); ++i) all += "; " + failures[i];
    throw UserError(all);
  }

private:
  std::int64_t every() const { return model.program().trainingEntry()->every; }

  /// The samples of all calls from the position on. The last batch of an epoch may be smaller, and so may the last of a window, which
  /// begins with the epoch: each update has just as many samples as it wants.
  Feed::Order samplesInOrder() const {
    const std::size_t window = every() > 0 ? static_cast<std::size_t>(every()) : rows;
    return [order = std::vector<std::uint32_t>(), at = position.samples, epoch = core.epoch(), window, rows = rows, most = most,
            seed = core.seed(), end = static_cast<std::uint64_t>(options.epochs)](BatchSamples &batch) mutable {
      if (at == rows) at = 0, ++epoch;
      if (epoch >= end) return false;
      if (order.empty() || at == 0) order.resize(rows), epochOrder(order.data(), rows, seed, epoch);
      const std::size_t count = std::min({most, rows - at, window - at % window});
      batch.epoch = epoch;
      batch.numbers.assign(order.begin() + static_cast<std::ptrdiff_t>(at), order.begin() + static_cast<std::ptrdiff_t>(at + count));
      at += count;
      return true;
    };
  }

  bool stepsDone() const { return options.steps > 0 && core.step() >= static_cast<std::uint64_t>(options.steps); }
  bool finished() const { return stepsDone() || core.epoch() >= static_cast<std::uint64_t>(options.epochs); }

  void resume() {
    position = folder->checkpoints().resume(core, rows);
    folder->metrics().keep(core.epoch());
    stepsBefore = core.step();
    progress.skip(static_cast<std::int64_t>(core.epoch() * rows + position.samples));
    if (core.step() == 0 && position.samples == 0)
      progress.say(fmt::format("no checkpoint in '{}': the training begins", options.out));
    else if (finished())
      progress.say(fmt::format("all of it was done in {} steps; --epochs trains for longer", core.step()));
    else
      progress.say(fmt::format("going on in epoch {} after {} steps", core.epoch() + 1, core.step()));
  }

  /// One epoch, or what is left of it.
  void epoch(Feed &feed) {
    auto start = std::chrono::steady_clock::now();
    std::uint64_t e = core.epoch();
    std::size_t before = position.samples;
    double secondsBefore = position.seconds;
    auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    while (position.samples < rows && !stepsDone()) {
      position.seconds = secondsBefore + seconds();
      if (interrupted()) stop();
      const void *const *batch = nextOf(feed);
      std::size_t count = feed.count();
      float loss = step(batch, feed.samples());
      position.lossSum += static_cast<double>(loss) * static_cast<double>(count);
      position.samples += count;
      if (progress.due())
        progress.draw(static_cast<std::int64_t>(e), static_cast<std::int64_t>(position.samples), loss, metricsNow(batch, count));
      if (position.samples < rows) checkpointIfDue(/*epochEnds=*/false);
    }
    bool whole = position.samples == rows;
    if (whole) core.endWindow(); // as the last batch, the last window of an epoch may be smaller
    double speed = static_cast<double>(position.samples - before) / seconds();
    auto samples = static_cast<double>(position.samples);
    report({static_cast<std::int64_t>(e), core.step(), position.lossSum / samples, speed, secondsBefore + seconds(),
            evaluateAll(model, data.test, most), rate()});
    if (!whole) return; // the checkpoint of a training that --steps ends is within the epoch
    core.setEpoch(e + 1);
    position = {};
    checkpointIfDue(/*epochEnds=*/true);
  }

  const void *const *nextOf(Feed &feed) {
    try {
      return feed.next();
    } catch (const UserError &error) {
      throw UserError(fmt::format("{}{}", error.what(), checkpointText()));
    }
  }

  float step(const void *const *batch, const std::vector<std::uint32_t> &samples) {
    float loss = core.trainStep(batch, samples.size());
    if (core.status() == Status::nonFiniteLoss) {
      std::string reason = data.train.notFinite(samples);
      if (reason.empty())
        reason = core.step() > 0 ? "a lower learning rate may help" : "no update was made yet: the data or the first parameters make it so";
      throw UserError(
          fmt::format("the loss is not finite in epoch {}, step {}; {}{}", core.epoch() + 1, core.step(), reason, checkpointText()));
    }
    require(core.status(), core, "training");
    return loss;
  }

  /// For the live line: metrics of the last batch that was looked at, which takes no more than a fiftieth of the time.
  const std::vector<Score> &metricsNow(const void *const *batch, std::size_t count) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    if (begin >= nextLook) {
      metrics = metricsOf(model, batch, count);
      const Clock::time_point end = Clock::now();
      nextLook = end + 50 * (end - begin);
    }
    return metrics;
  }

  TrainingRecord record() {
    RandomBatch samples(model, static_cast<std::uint64_t>(options.seed));
    return {readFile(folder->metrics().path()), firstWeights, data.test, confusionOf(model, data.test, most),
            timeKernels(model, model.program().trainingEntry()->name, samples.data(), secondsOfTiming),
            memoryPicture(options, hostTarget(options)), graphviz(dotText(options, hostTarget(options)))};
  }

  std::string checkpointText() const { return folder ? "; " + folder->checkpoints().last() : ""; }

  /// A checkpoint that cannot be written is no reason to lose the hours of training that went before.
  void checkpointIfDue(bool epochEnds) {
    if (!folder || !folder->checkpoints().due(core.step(), epochEnds)) return;
    try {
      folder->checkpoints().save(core, position, rows);
    } catch (const UserError &error) {
      progress.warn(fmt::format("{}; {}; the training goes on", error.what(), folder->checkpoints().last()));
    }
  }

  /// After Ctrl-C.
  [[noreturn]] void stop() {
    std::string where = fmt::format("interrupted in epoch {} after {} steps", core.epoch() + 1, core.step());
    if (!folder) throw UserError(where + "; no weights were written");
    try {
      folder->checkpoints().save(core, position, rows);
    } catch (const UserError &error) {
      throw UserError(fmt::format("{}: {}{}", where, error.what(), checkpointText()));
    }
    throw UserError(fmt::format("{}; to go on:\n  {}{}", where, options.typed, options.resume ? "" : " --resume"));
  }

  /// The learning rate of the last update.
  std::optional<double> rate() const {
    const loop::Entry *update = model.entry(besides(model.program().trainingEntry()->name, every() ? "apply" : "trainStep"));
    for (const RuntimeScalar &s : update->scalars)
      if (s.name == "lr")
        return evaluate(s.program, {.count = static_cast<double>(most),
                                    .step = static_cast<double>(std::max<std::uint64_t>(core.step(), 1) - 1),
                                    .epoch = static_cast<double>(core.epoch()),
                                    .steps = static_cast<double>(allSteps)});
    return {};
  }

  void warnUnless(const std::string &reason, const std::string &path) {
    if (!reason.empty()) progress.warn(fmt::format("cannot write '{}': {}; the training goes on", path, reason));
  }

  void report(const EpochReport &r) {
    progress.epoch(r);
    if (folder) {
      warnUnless(folder->metrics().add(r), folder->metrics().path());
      warnUnless(folder->events().add(r, stepsBefore), folder->events().path());
    }
    for (const Score &s : r.test)
      if (s.isLoss && !std::isfinite(s.value)) {
        const std::string reason = data.test.notFinite();
        throw UserError(fmt::format("the test {} is not finite after epoch {}{}{}", s.name, r.epoch + 1,
                                    reason.empty() ? "" : "; " + reason, checkpointText()));
      }
  }

  const Options &options;
  CompiledModel &model;
  std::vector<std::string> taken; // what of --weights, with --map
  Core &core;
  const DataParts &data;
  RunFolder *folder;
  std::size_t rows, most;
  Progress progress;
  std::uint64_t allSteps = 0, stepsBefore = 0; // planned; made by earlier processes
  Position position; // in the epoch that the core counts
  std::optional<FilterBank> firstWeights; // before any step
  std::vector<Score> metrics;             // see metricsNow()
  std::chrono::steady_clock::time_point nextLook;
};

} // namespace

int trainCommand(const Options &o) {
  if (!o.map.empty() && o.weights.empty()) throw UserError("--map goes with --weights FILE");
  CompiledModel model(o);
  if (!model.program().trainingEntry())
    throw UserError(fmt::format("'{}' has nothing to train: it needs a loss and a train statement", o.input));
  catchInterrupts();
  std::optional<RunFolder> folder;
  if (!o.out.empty()) folder.emplace(o);
  if (!o.weightsOut.empty()) requireWritable(o.weightsOut);
  DataParts data = readData(model, o);
  Training training(o, model, data, folder ? &*folder : nullptr);
  training.run();
  training.save();
  return 0;
}

} // namespace netc::driver
