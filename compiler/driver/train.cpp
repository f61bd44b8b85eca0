// netc train: mini-batch training through the JIT.
#include "compiler/driver/batches.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/figures.h"
#include "compiler/driver/interrupt.h"
#include "compiler/driver/outputs.h"
#include "compiler/driver/progress.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

namespace netc::driver {
namespace {

std::string inFolder(const std::string &folder, const char *name) { return (std::filesystem::path(folder) / name).string(); }

void checkOutputs(const Options &o) {
  if (!o.weightsOut.empty()) requireWritable(o.weightsOut);
  if (o.out.empty()) return;
  requireWritable(inFolder(o.out, "weights.safetensors"));
  requireWritable(inFolder(o.out, "log.csv"));
}

/// "61706 parameters, 2.1 MB, x86-64-v4"
std::string summary(CompiledModel &model) {
  std::size_t parameters = 0;
  for (std::size_t i = 0; i < model.core().parameterCount(); ++i) parameters += model.core().parameter(i).size();
  return fmt::format("{}: {} parameters, {} of memory, compiled for {}", model.program().name, parameters,
                     bytesText(model.core().memoryBytes()), model.core().target());
}

class Training {
public:
  Training(const Options &o, CompiledModel &model, const DataParts &data)
      : options(o), model(model), data(data), rows(data.train.rows),
        most(static_cast<std::size_t>(model.program().batch)), batch(data.train, most), order(rows),
        progress(o, o.epochs, static_cast<std::int64_t>(rows)) {
    std::size_t samples = every() == 0 ? most : every() < 0 ? rows : static_cast<std::size_t>(every());
    std::size_t stepsAnEpoch = (rows + samples - 1) / samples;
    model.core().setSteps(stepsAnEpoch * static_cast<std::uint64_t>(o.epochs));
  }

  void run() {
    progress.say("data: " + data.description);
    for (const std::string &line : data.train.description) progress.say("  " + line);
    progress.say(summary(model));
    if (const std::string &plan = model.program().trainingEntry()->plan; !plan.empty()) progress.say("train " + plan);
    for (std::int64_t e = 0; e < options.epochs && !finished(); ++e) epoch(e);
  }

private:
  std::int64_t every() const { return model.program().trainingEntry()->every; }

  /// The samples of the next call: no more than its window still takes, so that each update has just so many.
  std::size_t nextCount(std::size_t left) const {
    std::size_t count = std::min(most, left);
    if (every() <= 0) return count;
    return std::min(count, static_cast<std::size_t>(every()) - static_cast<std::size_t>(model.core().samples()));
  }

  bool finished() const {
    return options.steps > 0 && model.core().step() >= static_cast<std::uint64_t>(options.steps);
  }

  void epoch(std::int64_t e) {
    auto start = std::chrono::steady_clock::now();
    model.core().setEpoch(static_cast<std::uint64_t>(e));
    epochOrder(order.data(), rows, static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(e));
    double lossSum = 0;
    std::size_t done = 0;
    while (done < rows && !finished()) {
      std::size_t count = nextCount(rows - done); // the last batch of an epoch may be smaller
      float loss = step(e, order.data() + done, count);
      lossSum += static_cast<double>(loss) * static_cast<double>(count);
      done += count;
      progress.step(e, static_cast<std::int64_t>(done), loss);
    }
    model.core().endWindow(); // as the last batch, the last window of an epoch may be smaller
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    auto samples = static_cast<double>(done);
    report({e, lossSum / samples, samples / seconds, seconds, evaluateAll(model, data.test, most)});
  }

  float step(std::int64_t e, const std::uint32_t *which, std::size_t count) {
    if (interrupted())
      throw UserError(fmt::format("interrupted in epoch {} after {} steps; no weights were written", e + 1, model.core().step()));
    float loss = model.core().trainStep(batch.gather(which, count), count);
    if (model.core().status() == Status::nonFiniteLoss)
      throw UserError(fmt::format("the loss is not finite in epoch {}, step {}; {}", e + 1, model.core().step(),
                                  model.core().step() > 0 ? "a lower learning rate may help"
                                                          : "no update was made yet: the data or the first parameters make it so"));
    require(model.core().status(), model.core(), "training");
    return loss;
  }

  void report(const EpochReport &r) {
    progress.epoch(r);
    if (options.out.empty()) return;
    std::string csv;
    if (!log.isOpen()) {
      log.open(inFolder(options.out, "log.csv"));
      csv = "epoch,loss";
      for (const Score &s : r.test) csv += ",test_" + s.name;
      csv += ",seconds\n";
    }
    csv += fmt::format("{},{:.9g}", r.epoch + 1, r.loss);
    for (const Score &s : r.test) csv += fmt::format(",{:.9g}", s.value);
    csv += fmt::format(",{:.3f}\n", r.seconds);
    log.write(csv);
  }

  const Options &options;
  CompiledModel &model;
  const DataParts &data;
  std::size_t rows, most;
  Batch batch;
  std::vector<std::uint32_t> order;
  Progress progress;
  LogFile log; // of --out
};

void saveWeights(CompiledModel &model, const std::string &path) {
  require(model.core().save(path.c_str()), model.core(), fmt::format("writing '{}'", path));
}

} // namespace

int trainCommand(const Options &o) {
  CompiledModel model(o);
  if (!model.program().trainingEntry()) throw UserError(fmt::format("'{}' has nothing to train: it needs a loss and a train statement", o.input));
  catchInterrupts();
  NewFolder folder(o.out);
  checkOutputs(o);
  DataParts data = readData(model, o.data, o.bind);
  Training training(o, model, data);
  training.run();
  if (!o.weightsOut.empty()) saveWeights(model, o.weightsOut);
  if (!o.out.empty()) saveWeights(model, inFolder(o.out, "weights.safetensors"));
  return 0;
}

int evaluateCommand(const Options &o) {
  if (o.weights.empty()) throw UserError("'netc evaluate' needs --weights FILE");
  CompiledModel model(o);
  if (!model.entry("evaluate")) throw UserError(fmt::format("'{}' has neither a loss nor a metric", o.input));
  DataParts data = readData(model, o.data, o.bind);
  std::vector<Score> scores = evaluateAll(model, data.test, static_cast<std::size_t>(model.program().batch));
  std::string json;
  for (const Score &s : scores) {
    if (!o.json) fmt::print("{} {}\n", s.name, std::isnan(s.value) ? "nan" : fmt::format("{:.6g}", s.value));
    json += fmt::format("{}\"{}\": {}", json.empty() ? "" : ", ", s.name, jsonNumber(s.value));
  }
  if (o.json) fmt::print("{{{}}}\n", json);
  return 0;
}

} // namespace netc::driver
