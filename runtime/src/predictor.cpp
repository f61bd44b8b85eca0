#include "failure.h"
#include "run.h"
#include "tables.h"

#include <cstdlib>
#include <cstring>

namespace netc {

CorePredictor::CorePredictor(const Core &core) noexcept : model_(core.model_) {
  entry_ = core.entry("predict");
  if (!core.usable()) {
    status_ = fail(message_, core.status_, "%s", core.message_);
    return;
  }
  if (!entry_) {
    status_ = fail(message_, Status::noSuchEntry, "%s has no entry point predict", model_.name);
    return;
  }
  std::size_t storeSize = (static_cast<std::size_t>(model_.storeBytes) + 63) / 64 * 64;
  target_ = core.target_;
  std::int64_t workspace = entry_->workspaceBytes;
  if (const NetcEntry *one = forOneSample(model_, *target_, *entry_); one && one->workspaceBytes > workspace)
    workspace = one->workspaceBytes;
  std::size_t size = Core::memoryBytes(storeSize, static_cast<std::size_t>(workspace));
  store_ = static_cast<unsigned char *>(std::aligned_alloc(64, size));
  if (!store_) {
    status_ = fail(message_, Status::outOfMemory, "no memory for %zu bytes", size);
    return;
  }
  std::memset(store_, 0, size);
  workspace_ = store_ + storeSize;
  refresh(core);
}

CorePredictor::~CorePredictor() {
  std::free(store_);
}

Status CorePredictor::refresh(const Core &core) noexcept {
  if (!store_) return status_;
  if (&core.model_ != &model_ || !core.usable())
    return status_ = fail(message_, Status::badArgument, "a core of another model, or one that failed");
  std::memcpy(store_, core.store_, static_cast<std::size_t>(model_.storeBytes));
  seed_ = core.seed_;
  step_ = core.step_;
  epoch_ = core.epoch_;
  steps_ = core.steps_;
  message_[0] = 0;
  return status_ = Status::ok;
}

Status CorePredictor::run(const void *const *inputs, void *const *outputs, std::size_t count) noexcept {
  if (!store_) return status_;
  message_[0] = 0;
  status_ = checkCall(model_, *entry_, inputs, count, message_);
  if (status_ != Status::ok) return status_;
  return status_ =
             runParts(model_, *target_, *entry_, inputs, outputs, count,
                      [&](const NetcEntry &e, const void *const *in, void *const *out, std::size_t n) { return runEntry(e, in, out, n); });
}

Status CorePredictor::runEntry(const NetcEntry &entry, const void *const *inputs, void *const *outputs, std::size_t count) {
  float scalars[Core::maxScalars];
  void *slots[Core::maxResults];
  const Status placed = placeOutputs(entry, outputs, slots, nullptr, 0, message_);
  if (placed != Status::ok) return placed;
  evaluateScalars(entry,
                  {static_cast<double>(count), static_cast<double>(step_), static_cast<double>(epoch_),
                   static_cast<double>(steps_), seed_},
                  nullptr, scalars);
  NetcFrame frame{store_, workspace_, inputs, slots, scalars, static_cast<std::int64_t>(count), nullptr, nullptr, 0};
  runStages(entry, 0, entry.commit < entry.stageCount ? entry.commit : entry.stageCount, frame, Dispatch{});
  return Status::ok;
}

} // namespace netc
