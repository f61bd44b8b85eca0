// The checkpoints of a training in its run folder: when they are due, the last few of them, and going on from one.
#pragma once

#include "compiler/driver/options.h"
#include "netc/model.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace netc::driver {

/// How far an epoch is, beyond what a Core knows.
struct Position {
  std::size_t samples = 0;         // that were seen
  double lossSum = 0, seconds = 0; // over these
};

/// --checkpoint-every: whichever is set.
struct Interval {
  std::uint64_t steps = 0;
  double seconds = 0;
  bool epoch = false;
};

class Checkpoints {
public:
  /// Of --out, which exists. Throws UserError for a bad --checkpoint-every.
  explicit Checkpoints(const Options &);

  /// The step of the newest in the folder, if there is one.
  std::optional<std::uint64_t> newest() const;
  /// Whether some were found damaged there.
  bool anyDamaged() const;
  /// Loads the newest undamaged checkpoint and says where it is; without any the training begins. A damaged one gets another
  /// name and a warning. Throws UserError if the run was another one, or if every checkpoint is damaged.
  Position resume(Core &, std::size_t rows);

  /// After a step, or (`epochEnds`) after an epoch.
  bool due(std::uint64_t step, bool epochEnds) const;
  /// Writes one and removes those beyond --keep. Throws UserError, also where the weights are not finite: the ones before are better.
  void save(Core &, const Position &, std::size_t rows);
  /// "the last checkpoint is of step 400", or that there is none.
  std::string last() const;

private:
  using Clock = std::chrono::steady_clock;
  std::string path(std::uint64_t step) const;
  void removeOld() const;

  const Options &options;
  Interval every;
  bool any = false;
  std::uint64_t lastStep = 0; // the one that was saved or loaded last, if any
  std::uint64_t triedStep = 0; // of the last attempt to save
  Clock::time_point triedTime;
};

} // namespace netc::driver
