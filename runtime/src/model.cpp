#include "netc/model.h"

#include "failure.h"
#include "netc/random.h"
#include "run.h"
#include "tables.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace netc {
namespace {

constexpr std::size_t scalarBytes =
    Core::maxScalars * sizeof(float); // then losses and metrics, up to callBytes
static_assert(scalarBytes < Core::callBytes, "a call's memory has room for its scalars and scalar results");

std::size_t roundedUp(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

// Elements first, first + 1, ... in logical order.
void initialValues(const NetcTensor &tensor, std::uint64_t key, std::size_t first, float *values, std::size_t count) {
  switch (tensor.init) {
  case NETC_INIT_UNIFORM:
    fillUniform(values, count, static_cast<float>(tensor.initA), static_cast<float>(tensor.initB), key, first);
    break;
  case NETC_INIT_NORMAL:
    fillNormal(values, count, tensor.initA, tensor.initB, key, first);
    break;
  case NETC_INIT_VALUES:
    std::memcpy(values, tensor.values + first, count * sizeof *values);
    break;
  default:
    for (std::size_t i = 0; i < count; ++i)
      values[i] = static_cast<float>(tensor.initA);
  }
}

void initialiseTensor(const NetcTensor &tensor, float *stored, std::uint64_t seed) {
  constexpr std::size_t atOnce = 256;
  float values[atOnce];
  std::size_t count = elementCount(tensor.shape, tensor.rank);
  std::uint64_t key = streamKey(seed, tensor.name);
  Places places(tensor);
  for (std::size_t first = 0; first < count; first += atOnce) {
    std::size_t some = count - first < atOnce ? count - first : atOnce;
    initialValues(tensor, key, first, values, some);
    for (std::size_t i = 0; i < some; ++i)
      stored[places.next()] = values[i];
  }
}

bool finiteLosses(const NetcEntry &entry, void *const *slots, float *sum) {
  bool finite = true;
  *sum = 0;
  for (std::int64_t i = 0; i < entry.resultCount; ++i) {
    if (entry.results[i].kind != NETC_LOSS) continue;
    float loss;
    std::memcpy(&loss, slots[i], sizeof loss);
    finite = finite && std::isfinite(loss);
    *sum += loss;
  }
  return finite;
}

} // namespace

std::size_t Tensor::size() const noexcept {
  return elementCount(table_->shape, table_->rank);
}
void Tensor::get(float *values) const noexcept {
  Places places(*table_);
  for (std::size_t i = 0, count = size(); i < count; ++i)
    values[i] = data_[places.next()];
}
void Tensor::set(const float *values) noexcept {
  Places places(*table_);
  for (std::size_t i = 0, count = size(); i < count; ++i)
    data_[places.next()] = values[i];
}

Core::Core(const NetcModel &model, const Options &options, StartThreads *start) noexcept : model_(model) {
  if (!checkTables(model, message_)) {
    status_ = Status::badModel;
    return;
  }
  if (!chooseTarget(options.target) || !placeMemory(options)) return;
  seed_ = options.seed;
  initialise();
  if (!spread(options, start)) store_ = nullptr;
}

Core::~Core() {
  if (endThreads_) endThreads_(executor_.context);
  std::free(owned_);
}

bool Core::chooseTarget(const char *name) {
  if (!name) name = std::getenv("NETC_TARGET");
  target_ = netc::chooseTarget(model_, name && *name ? name : nullptr, message_);
  if (!target_) status_ = Status::noTarget;
  return target_;
}

bool Core::placeMemory(const Options &options) {
  std::size_t storeSize = roundedUp(static_cast<std::size_t>(model_.storeBytes));
  std::size_t workspaceSize = workspaceBytes(*target_);
  memoryBytes_ = memoryBytes(storeSize, workspaceSize);
  void *memory = options.memory;
  if (!memory)
    memory = owned_ = std::aligned_alloc(64, memoryBytes_);
  else if (reinterpret_cast<std::uintptr_t>(memory) % 64 != 0 || options.memorySize < memoryBytes_) {
    status_ = fail(message_, Status::outOfMemory, "given %zu bytes at %p, expected %zu, 64-byte aligned",
                   options.memorySize, options.memory, memoryBytes_);
    return false;
  }
  if (!memory) {
    status_ = fail(message_, Status::outOfMemory, "no memory for %zu bytes", memoryBytes_);
    return false;
  }
  std::memset(memory, 0,
              memoryBytes_); // the gaps of the store are zero, and no page is first touched in a step
  store_ = static_cast<unsigned char *>(memory);
  workspace_ = store_ + storeSize;
  call_ = workspace_ + roundedUp(workspaceSize);
  return true;
}

void Core::initialise() {
  for (std::int64_t i = 0; i < model_.tensorCount; ++i) {
    const NetcTensor &tensor = model_.tensors[i];
    if (inStore(tensor)) initialiseTensor(tensor, reinterpret_cast<float *>(store_ + tensor.store), seed_);
  }
}

bool Core::spread(const Options &options, StartThreads *start) {
  executor_ = options.executor;
  parts_ = options.threads < 1 ? 1 : options.threads;
  if (parts_ > OwnThreads::most) parts_ = OwnThreads::most;
  if (!start) return true;
  const OwnThreads threads = start(parts_);
  executor_ = threads.executor;
  if (executor_.context) endThreads_ = threads.end;
  else status_ = fail(message_, Status::outOfMemory, "no memory for %u threads", parts_);
  return executor_.context;
}

const NetcEntry *Core::entry(const char *name) const noexcept {
  return target_ ? findEntry(*target_, name) : nullptr;
}

float Core::trainStep(const void *const *inputs, std::size_t count) noexcept {
  return trainStep(nullptr, inputs, count);
}

float Core::trainStep(const char *plan, const void *const *inputs, std::size_t count) noexcept {
  constexpr float notTaken = std::numeric_limits<float>::quiet_NaN();
  if (!usable()) return notTaken;
  const NetcEntry *step = trainingEntry(*target_, plan);
  if (!step) {
    status_ = fail(message_, Status::noSuchEntry, "%s has no training plan%s%s", model_.name, plan ? " " : "", plan ? plan : "");
    return notTaken;
  }
  if (runChecked(*step, inputs, nullptr, count) != Status::ok) return notTaken;
  float sum = 0;
  for (std::int64_t i = 0; i < lastEntry_->resultCount; ++i)
    if (lastEntry_->results[i].kind == NETC_LOSS) sum += lastResult(static_cast<std::size_t>(i));
  if (step->every > 0 && samples_ >= static_cast<std::uint64_t>(step->every)) endWindow();
  return sum;
}

Status Core::endWindow() noexcept {
  if (!usable()) return status_;
  message_[0] = 0;
  status_ = Status::ok;
  const NetcEntry *apply = window_ ? besides(*target_, *window_, "apply") : nullptr;
  if (apply && samples_ > 0) status_ = runEntry(*apply, nullptr, nullptr, static_cast<std::size_t>(samples_));
  return status_;
}

Status Core::endEpoch() noexcept {
  if (endWindow() == Status::ok) ++epoch_;
  return status_;
}

void Core::setEpoch(std::uint64_t epoch) noexcept {
  if (epoch != epoch_) endWindow();
  epoch_ = epoch;
}

Status Core::run(const char *name, const void *const *inputs, void *const *outputs, std::size_t count) noexcept {
  if (!usable()) return status_;
  message_[0] = 0;
  const NetcEntry *found = entry(name);
  if (!found)
    return status_ = fail(message_, Status::noSuchEntry, "%s has no entry point %s", model_.name, name);
  if (isUpdate(*found)) return endWindow(); // its samples are those that were accumulated
  return runChecked(*found, inputs, outputs, count);
}

Status Core::runChecked(const NetcEntry &entry, const void *const *inputs, void *const *outputs, std::size_t count) {
  message_[0] = 0;
  status_ = checkCall(model_, entry, inputs, count, message_);
  if (status_ == Status::ok && samples_ > 0 && isTraining(entry) && &entry != window_)
    status_ = fail(message_, Status::badArgument, "%s: %llu samples of %s wait for their update: endWindow() makes it", entry.name,
                   static_cast<unsigned long long>(samples_), window_->name);
  if (status_ != Status::ok) return status_;
  return status_ =
             runParts(model_, *target_, entry, inputs, outputs, count,
                      [&](const NetcEntry &e, const void *const *in, void *const *out, std::size_t n) { return runEntry(e, in, out, n); });
}

Status Core::runEntry(const NetcEntry &entry, const void *const *inputs, void *const *outputs,
                      std::size_t count) {
  void *slots[maxResults];
  Status placed = placeOutputs(entry, outputs, slots, call_ + scalarBytes, callBytes - scalarBytes, message_);
  if (placed != Status::ok) return placed;
  if (entry.resultCount > 0) lastEntry_ = &entry;
  float *scalars = reinterpret_cast<float *>(call_);
  // The calls of a window are of one step, but each draws numbers of its own.
  std::uint64_t seed = entry.every && samples_ > 0 ? threefry(seed_, samples_) : seed_;
  ScalarInputs now{static_cast<double>(count), static_cast<double>(step_), static_cast<double>(epoch_),
                   static_cast<double>(steps_), seed};
  evaluateScalars(entry, now, ownRate_ ? &rate_ : nullptr, scalars);
  NetcFrame frame{store_, workspace_, inputs, slots, scalars, static_cast<std::int64_t>(count), nullptr, nullptr, 0};
  Dispatch dispatch{parts_, executor_};
  runStages(entry, 0, entry.commit, frame, dispatch);
  if (entry.commit >= entry.stageCount) return Status::ok;
  float loss;
  if (!finiteLosses(entry, slots, &loss))
    return fail(message_, Status::nonFiniteLoss, "loss %g at step %llu",
                std::isnan(loss) ? std::fabs(static_cast<double>(loss))
                                 : static_cast<double>(loss), // no "-nan"
                static_cast<unsigned long long>(step_));
  runStages(entry, entry.commit, entry.stageCount, frame, dispatch);
  samples_ = entry.every ? samples_ + count : 0;
  window_ = entry.every ? &entry : nullptr;
  step_ += !entry.every;
  return Status::ok;
}

float Core::lastResult(std::size_t slot) const noexcept {
  std::size_t offset = scalarBytes;
  if (!lastEntry_ || slot >= static_cast<std::size_t>(lastEntry_->resultCount))
    return std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 0; i < slot; ++i) {
    const NetcResult &before = lastEntry_->results[i];
    if (before.kind != NETC_OUTPUT) offset += scratchSize(before);
  }
  if (offset + sizeof(float) > callBytes) return std::numeric_limits<float>::quiet_NaN();
  float value;
  std::memcpy(&value, call_ + offset, sizeof value);
  return value;
}

Status Core::setLearningRate(float rate) noexcept {
  if (!usable()) return status_;
  if (!(std::isfinite(rate) && rate >= 0))
    return status_ = fail(message_, Status::badArgument, "a learning rate of %g, expected a finite one of at least 0",
                          static_cast<double>(rate));
  ownRate_ = true;
  rate_ = rate;
  message_[0] = 0;
  return status_ = Status::ok;
}

void Core::useSchedule() noexcept {
  ownRate_ = false;
}

std::size_t Core::count(std::int64_t role) const {
  std::size_t count = 0;
  for (std::int64_t i = 0; i < model_.tensorCount; ++i)
    count += model_.tensors[i].role == role;
  return count;
}

std::size_t Core::parameterIndex(const char *name) const noexcept {
  std::size_t index = 0;
  for (std::int64_t i = 0; i < model_.tensorCount; ++i) {
    const NetcTensor &t = model_.tensors[i];
    if (t.role != NETC_PARAM) continue;
    if (name && std::strcmp(t.name, name) == 0) break;
    ++index;
  }
  return index;
}

const NetcTensor &Core::table(std::int64_t role, std::size_t index) const {
  const NetcTensor *found = model_.tensors;
  for (std::int64_t i = 0; i < model_.tensorCount; ++i) {
    found = &model_.tensors[i];
    if (found->role == role && index-- == 0) break;
  }
  return *found;
}

Tensor Core::tensor(std::int64_t role, std::size_t index) {
  static const std::int64_t noElements[] = {0};
  static const NetcTensor none{"", NETC_PARAM, NETC_F32, 1, noElements, 0, 0, nullptr, 0, 0, 0, 0, nullptr, 0, nullptr};
  if (index >= count(role)) return Tensor(&none, nullptr);
  const NetcTensor &found = table(role, index);
  return Tensor(&found, reinterpret_cast<float *>(store_ + found.store));
}

bool Core::isOptimizerState(std::size_t index) const noexcept {
  return netc::isOptimizerState(model_, table(NETC_STATE, index));
}

} // namespace netc
