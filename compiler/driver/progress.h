// How a training shows itself: on a terminal one line that is rewritten, then one plain line an epoch; with --json one
// object an epoch.
#pragma once

#include "compiler/driver/options.h"
#include "compiler/driver/scores.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace netc::driver {

struct EpochReport {
  std::int64_t epoch = 0; // from 0
  std::uint64_t step = 0; // updates that were made, of all epochs
  double loss = 0;        // mean over the epoch's samples, before each update
  double samplesPerSecond = 0, seconds = 0;
  std::vector<Score> test;
  std::optional<double> rate; // of the last update, if it has a scalar of this name
};

class Progress {
public:
  Progress(const Options &, std::int64_t epochs, std::int64_t samples);
  ~Progress(); // clears the live line

  /// A line about data or model, unless --quiet or --json.
  void say(const std::string &line);
  /// On standard error, whatever --quiet says.
  void warn(const std::string &line);
  /// Whether the live line is to be drawn again, which it is at most ten times a second.
  bool due() const;
  /// Draws it: the loss of the last step, metrics of its batch.
  void draw(std::int64_t epoch, std::int64_t samplesDone, double loss, const std::vector<Score> &metrics);
  void epoch(const EpochReport &);
  /// The samples that a resumed training does not see again.
  void skip(std::int64_t samplesBefore) { skipped = samplesBefore; }

private:
  using Clock = std::chrono::steady_clock;
  void clear();
  bool live, quiet, json, drawn = false;
  std::int64_t epochs, samples; // of an epoch
  std::int64_t skipped = 0;
  Clock::time_point start, lastDraw;
};

} // namespace netc::driver
