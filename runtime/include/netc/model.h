// A model at run time: the memory, threads and files around the tables and kernels that netc generates
// (netc/abi.h). Generated headers wrap Core and CorePredictor with typed calls; programs that hold only
// tables use them directly. Nothing here throws, uses run-time type information, or allocates after
// construction (save and load excepted). Every function says `noexcept`, so that a program without exceptions
// of its own carries no code for them.
#pragma once

#include "netc/abi.h"

#include <cstddef>
#include <cstdint>

namespace netc {

/// How a call ended; the values are those of the C interface (netc/netc.h).
enum class Status : int {
  ok = 0,
  badArgument,   ///< a null pointer, a buffer that is too small
  badCount,      ///< fewer than 1 or more than maxBatch samples
  badLabel,      ///< a class label out of range
  nonFiniteLoss, ///< the loss is infinite or not a number: the step was not taken
  ioError,       ///< a file cannot be opened, read, written or renamed
  badFile,       ///< not a safetensors file, or a damaged one
  mismatch,      ///< a well-formed file of another model
  outOfMemory,   ///< an allocation failed, or the caller's memory is too small or misaligned
  noSuchEntry,   ///< the model has no entry point of this name ("trainStep" needs a `train` statement)
  noTarget,      ///< no instruction set of the model fits this machine or the name asked for
  badModel,      ///< tables of another version of netc, or beyond the runtime's limits
  wrongResult,   ///< a self-test found that compiled code and formulas differ
};

/// "ok", "count out of range", ...
const char *text(Status) noexcept;

/// Runs the parts of one stage. Must call part(argument, i) for each 0 <= i < parts, in any order and on any
/// threads, and return when all have returned. The bits of the results do not depend on how it does so.
struct Executor {
  void *context = nullptr;
  void (*run)(void *context, std::size_t parts, void (*part)(void *argument, std::size_t index),
              void *argument) = nullptr;
};

struct Options {
  /// Initial parameters are a function of (seed, name, element), random numbers in formulas one of (seed, step,
  /// name, element).
  std::uint64_t seed = 0;
  unsigned threads = 1;   ///< at 1 no thread is ever started; 0 counts as 1
  /// The caller's, 64-byte aligned, at least Core::memoryBytes(); null: one allocation of our own.
  void *memory = nullptr;
  std::size_t memorySize = 0; ///< bytes at `memory`
  Executor executor; ///< if set, runs the parts (`threads` of them a stage) in place of threads of our own
  /// "x86-64-v4", "x86-64-v3", "aarch64", "native"; null: the environment's NETC_TARGET, else the best.
  const char *target = nullptr;
};

/// A view of one parameter or state; valid as long as its Core.
class Tensor {
 public:
  Tensor(const NetcTensor *table, float *data) noexcept : table_(table), data_(data) {}
  const char *name() const noexcept { return table_->name; }
  std::size_t rank() const noexcept { return static_cast<std::size_t>(table_->rank); }
  std::size_t extent(std::size_t axis) const noexcept { return static_cast<std::size_t>(table_->shape[axis]); }
  const std::int64_t *shape() const noexcept { return table_->shape; } ///< rank() extents
  std::size_t size() const noexcept;                                   ///< number of elements
  /// All elements in logical (row-major) order.
  void get(float *values) const noexcept;
  void set(const float *values) noexcept;

 private:
  const NetcTensor *table_;
  float *data_;
};

/// Threads of our own: an Executor of up to `threads` parts, and how it ends. Without memory, `context` is null.
struct OwnThreads {
  static constexpr unsigned most = 256;
  Executor executor;
  void (*end)(void *context) = nullptr;
};
OwnThreads startThreads(unsigned threads) noexcept;

/// Store, workspace, threads and counters of one model. A Core is used by one thread at a time; several are
/// independent. A call that fails changes nothing but status() and message().
class Core {
 public:
  static constexpr std::size_t maxScalars = 128, maxResults = 64, callBytes = 1024;
  /// What a Core allocates, or needs of the caller's memory: store and workspace rounded up to 64, plus
  /// callBytes.
  static constexpr std::size_t memoryBytes(std::size_t storeBytes, std::size_t workspaceBytes) noexcept {
    return (storeBytes + 63) / 64 * 64 + (workspaceBytes + 63) / 64 * 64 + callBytes;
  }

  /// In the header, so that where options plainly say one thread, as the default does, nothing refers to
  /// startThreads(): linked statically, threads are 90 KB.
  explicit Core(const NetcModel &model, const Options &options = {}) noexcept
      : Core(model, options, options.threads > 1 && !options.executor.run ? startThreads : nullptr) {}
  ~Core();
  Core(const Core &) = delete;
  Core &operator=(const Core &) = delete;

  /// Of the construction or of the last call that can fail.
  Status status() const noexcept { return status_; }
  /// What went wrong in it, with names and values ("conv1.weight: ..."); "" after success. Lives in the Core.
  const char *message() const noexcept { return message_; }

  /// One step on `count` samples: the sum of the losses before the update, or NaN with status() set and
  /// nothing changed. `inputs` are in the order of the model's inputs and targets; losses and metrics are at
  /// lastResult(). Where the training plan says `every`, a call adds to the gradients of a window of samples, and
  /// the one that fills the window makes the update, from the mean over all its samples.
  float trainStep(const void *const *inputs, std::size_t count) noexcept;
  /// The same by a plan's name, "" being the plan without one; above it is the model's first. All plans train the same
  /// parameters, and a state of one name is the same in all; step() counts the updates of all. A window is of one plan: a
  /// step of another is refused (badArgument) until endWindow().
  float trainStep(const char *plan, const void *const *inputs, std::size_t count) noexcept;
  /// Makes the update of a window that is not full; without one nothing happens.
  Status endWindow() noexcept;
  /// The same, and epoch() becomes one more.
  Status endEpoch() noexcept;
  /// Any entry point. `outputs` are in the order of its results; a null one (or null `outputs`) is allowed
  /// for losses and metrics, see lastResult(). The inputs of "predict" may have null targets.
  Status run(const char *entry, const void *const *inputs, void *const *outputs, std::size_t count) noexcept;
  /// A scalar loss or metric of the last successful run that gave no place for it: result slot i of that
  /// entry.
  float lastResult(std::size_t slot) const noexcept;

  /// Parameters (and running statistics) as safetensors, written to a temporary name and renamed. Load checks
  /// names, shapes, sizes and the fingerprint if there is one, and changes nothing on failure.
  Status save(const char *path) const noexcept;
  Status load(const char *path) noexcept;
  /// Also optimizer state, step, epoch, seed and the window: training goes on as if it had not stopped. A state
  /// has a checksum over all its bytes: a damaged one is refused (badFile), and nothing changes.
  Status saveState(const char *path) const noexcept;
  Status loadState(const char *path) noexcept;
  /// The same to and from memory. `size` holds the bytes at `buffer` and becomes those needed; a null buffer
  /// only asks.
  Status save(void *buffer, std::size_t *size) const noexcept;
  Status load(const void *buffer, std::size_t size) noexcept;
  Status saveState(void *buffer, std::size_t *size) const noexcept;
  Status loadState(const void *buffer, std::size_t size) noexcept;

  /// Overrides every learning rate of the model from now on. A rate is finite and not negative; another is refused (badArgument).
  Status setLearningRate(float rate) noexcept;
  void useSchedule() noexcept;                 ///< back to the model's own "lr"
  void setStep(std::uint64_t step) noexcept { step_ = step; }
  void setEpoch(std::uint64_t epoch) noexcept; ///< another one than before ends the window, too
  void setSteps(std::uint64_t steps) noexcept {
    steps_ = steps;
  }                                            ///< planned length of the training, for rates that use it
  std::uint64_t step() const noexcept { return step_; } ///< updates of the parameters
  std::uint64_t samples() const noexcept { return samples_; } ///< in the window since the last update
  std::uint64_t epoch() const noexcept { return epoch_; }
  std::uint64_t seed() const noexcept { return seed_; } ///< of the options, or of the state that was loaded

  std::size_t parameterCount() const noexcept { return count(NETC_PARAM); }
  Tensor parameter(std::size_t i) noexcept { return tensor(NETC_PARAM, i); } ///< without a name and elements from parameterCount() on
  std::size_t parameterIndex(const char *name) const noexcept; ///< parameterCount() if there is none of this name
  std::size_t stateCount() const noexcept { return count(NETC_STATE); }
  Tensor state(std::size_t i) noexcept { return tensor(NETC_STATE, i); }
  /// Whether its name continues a parameter's ("conv1.weight.velocity"): the others (running statistics) belong to the weights.
  bool isOptimizerState(std::size_t i) const noexcept;

  const NetcModel &model() const noexcept { return model_; }
  const char *target() const noexcept { return target_ ? target_->name : ""; } ///< the instruction set in use
  /// The tables of an entry point for target(); null if there is none.
  const NetcEntry *entry(const char *name) const noexcept;
  std::size_t memoryBytes() const noexcept { return memoryBytes_; }
  const unsigned char *store() const noexcept { return store_; }

 private:
  friend class CorePredictor;
  using StartThreads = OwnThreads(unsigned) noexcept;
  Core(const NetcModel &, const Options &, StartThreads *) noexcept;
  bool usable() const { return target_ && store_; } // if not, status() stays that of the construction
  bool chooseTarget(const char *name);
  bool placeMemory(const Options &);
  void initialise();
  bool spread(const Options &, StartThreads *);
  std::size_t count(std::int64_t role) const;
  const NetcTensor &table(std::int64_t role, std::size_t i) const;
  Tensor tensor(std::int64_t role, std::size_t i);
  Status runChecked(const NetcEntry &, const void *const *inputs, void *const *outputs, std::size_t count);
  Status runEntry(const NetcEntry &, const void *const *inputs, void *const *outputs, std::size_t count);
  Status loadBytes(const unsigned char *bytes, std::size_t size, const char *source, bool states);
  Status loadFile(const char *path, bool states);
  Status saveFile(const char *path, bool states) const;
  Status saveBytes(void *buffer, std::size_t *size, bool states) const;

  const NetcModel &model_;
  const NetcTarget *target_ = nullptr;
  void *owned_ = nullptr; // the allocation, if ours
  unsigned char *store_ = nullptr, *workspace_ = nullptr;
  unsigned char *call_ = nullptr; // callBytes: the scalars of a call, then its losses and metrics
  std::size_t memoryBytes_ = 0;
  Executor executor_;                           // of a stage's parts: the caller's or our threads
  void (*endThreads_)(void *context) = nullptr; // if they are ours
  unsigned parts_ = 1;
  std::uint64_t seed_ = 0, step_ = 0, epoch_ = 0, steps_ = 0, samples_ = 0;
  bool ownRate_ = false;
  float rate_ = 0;
  const NetcEntry *lastEntry_ = nullptr;
  const NetcEntry *window_ = nullptr; // what accumulated the samples
  mutable Status status_ = Status::ok;
  mutable char message_[256] = "";
};

/// Renews the checksum of a state, as saveState made it, to whose metadata something was added.
void sealState(unsigned char *bytes, std::size_t size) noexcept;

/// Predictions with weights and scratch of its own, on the calling thread: one a thread beside a Core that
/// trains.
class CorePredictor {
 public:
  /// Copies the weights; the Core's model tables must outlive this, the Core itself need not.
  explicit CorePredictor(const Core &) noexcept;
  ~CorePredictor();
  CorePredictor(const CorePredictor &) = delete;
  CorePredictor &operator=(const CorePredictor &) = delete;

  Status status() const noexcept { return status_; } ///< as Core's
  const char *message() const noexcept { return message_; }
  /// Copies the weights again; not while the Core is in a step. The Core must be of the same model.
  Status refresh(const Core &) noexcept;
  /// As Core::run("predict", ...).
  Status run(const void *const *inputs, void *const *outputs, std::size_t count) noexcept;

 private:
  Status runEntry(const NetcEntry &, const void *const *inputs, void *const *outputs, std::size_t count);
  const NetcModel &model_;
  const NetcTarget *target_ = nullptr;
  const NetcEntry *entry_ = nullptr;
  unsigned char *store_ = nullptr, *workspace_ = nullptr; // one allocation
  std::uint64_t seed_ = 0, step_ = 0, epoch_ = 0, steps_ = 0;
  Status status_ = Status::ok;
  char message_[256] = "";
};

} // namespace netc
