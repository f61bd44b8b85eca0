// Weights and training states as safetensors.
#include "failure.h"
#include "file.h"
#include "netc/random.h"
#include "safetensors.h"
#include "seal.h"
#include "tables.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace netc {
namespace {

bool belongs(const NetcModel &model, const NetcTensor &tensor, bool states) {
  return inStore(tensor) && (states || !isOptimizerState(model, tensor));
}

std::size_t bytesIn(const NetcTensor &tensor) {
  return 4 * elementCount(tensor.shape, tensor.rank);
}

// A state belongs to the whole store. Weights fit every model with the same weights, whatever its optimizer.
void fingerprint(const NetcModel &model, bool states, char *text, std::size_t size) {
  if (states) {
    std::snprintf(text, size, "%s", model.fingerprint);
    return;
  }
  std::uint64_t hash = 0;
  for (std::int64_t i = 0; i < model.tensorCount; ++i) {
    const NetcTensor &tensor = model.tensors[i];
    if (!belongs(model, tensor, false)) continue;
    hash = threefry(hash, hashName(tensor.name));
    for (std::int64_t axis = 0; axis < tensor.rank; ++axis)
      hash = threefry(hash, static_cast<std::uint64_t>(tensor.shape[axis]));
  }
  std::snprintf(text, size, "%016llx", static_cast<unsigned long long>(hash));
}

void shapeText(const std::int64_t *shape, std::int64_t rank, char *out, std::size_t size) {
  std::size_t used = static_cast<std::size_t>(std::snprintf(out, size, "["));
  for (std::int64_t i = 0; i < rank && used < size; ++i)
    used += static_cast<std::size_t>(
        std::snprintf(out + used, size - used, i ? ", %lld" : "%lld", static_cast<long long>(shape[i])));
  if (used < size) std::snprintf(out + used, size - used, "]");
}

// Loading goes over the file twice: first it only checks (store null), then it copies.
struct Loading {
  const NetcModel &model;
  const NetcTarget &target;
  const char *source;
  bool states;
  unsigned char *store;
  unsigned char *found; // one a tensor of the model
  char *message;
  std::uint64_t step = 0, epoch = 0, samples = 0, seed = 0;
  bool hasStep = false, hasEpoch = false, hasSamples = false, hasSeed = false; // older states have no seed
  const NetcEntry *window = nullptr; // what accumulated the samples; older states do not say, there was one plan
  bool foreign = false; // another fingerprint; the tensors will show what differs

  const char *whose() const {
    return !foreign ? "" : states ? "state of another model: " : "weights of another model: ";
  }
};

Status loadTensor(void *context, const FileTensor &given) {
  Loading &load = *static_cast<Loading *>(context);
  std::int64_t i = 0;
  while (i < load.model.tensorCount &&
         !(inStore(load.model.tensors[i]) && !std::strcmp(load.model.tensors[i].name, given.name)))
    ++i;
  if (i == load.model.tensorCount)
    return fail(load.message, Status::mismatch, "%s: %s%s is not in the model %s", load.source, load.whose(),
                given.name, load.model.name);
  const NetcTensor &tensor = load.model.tensors[i];
  bool sameShape = given.rank == tensor.rank;
  for (std::int64_t axis = 0; sameShape && axis < given.rank; ++axis)
    sameShape = given.shape[axis] == tensor.shape[axis];
  if (!given.isF32 || !sameShape) {
    char have[80], want[80];
    shapeText(given.shape, given.rank, have, sizeof have);
    shapeText(tensor.shape, tensor.rank, want, sizeof want);
    return fail(load.message, Status::mismatch, "%s: %s%s is %s%s, expected F32%s", load.source, load.whose(),
                given.name, given.isF32 ? "F32" : "of another type, ", have, want);
  }
  if (!load.store && load.found[i]++)
    return fail(load.message, Status::badFile, "%s: %s occurs twice", load.source, given.name);
  if (!load.store || !belongs(load.model, tensor, load.states)) return Status::ok;
  Places places(tensor);
  for (std::size_t i = 0; i < given.bytes; i += 4)
    std::memcpy(load.store + tensor.store + 4 * places.next(), given.data + i, 4);
  return Status::ok;
}

bool parseCounter(const char *text, std::uint64_t *value) {
  *value = 0;
  const char *c = text;
  for (; *c >= '0' && *c <= '9'; ++c) {
    std::uint64_t digit = static_cast<std::uint64_t>(*c - '0');
    if (*value > (UINT64_MAX - digit) / 10) return false;
    *value = *value * 10 + digit;
  }
  return c != text && !*c;
}

Status loadMetadata(void *context, const char *key, const char *value) {
  Loading &load = *static_cast<Loading *>(context);
  struct Counter {
    const char *key;
    std::uint64_t *value;
    bool *given;
  };
  const Counter counters[] = {{"step", &load.step, &load.hasStep},
                              {"epoch", &load.epoch, &load.hasEpoch},
                              {"samples", &load.samples, &load.hasSamples}, // of a window in progress; without one there is none
                              {"seed", &load.seed, &load.hasSeed}};
  for (const Counter &counter : counters) {
    if (std::strcmp(key, counter.key)) continue;
    if (!load.states && counter.value == &load.seed) break; // of weights it may be anyone's
    if (!parseCounter(value, counter.value))
      return fail(load.message, Status::badFile, "%s: %s is '%s', expected a whole number", load.source, key,
                  value);
    *counter.given = true;
    return Status::ok;
  }
  if (load.states && !std::strcmp(key, "window")) {
    load.window = findEntry(load.target, value);
    if (load.window && load.window->every) return Status::ok;
    return fail(load.message, Status::mismatch, "%s: a window of %s, which %s does not have", load.source, value, load.model.name);
  }
  char expected[40];
  bool ofState = !std::strcmp(key, "state_fingerprint");
  if ((ofState && load.states) || !std::strcmp(key, "fingerprint")) {
    fingerprint(load.model, ofState, expected, sizeof expected);
    load.foreign = load.foreign || std::strcmp(value, expected);
  }
  return Status::ok;
}

Status checkComplete(const Loading &load) {
  if (load.states && (!load.hasStep || !load.hasEpoch))
    return fail(load.message, Status::mismatch, "%s: weights alone, no training to go on with: load() takes them, and netc's --weights",
                load.source);
  for (std::int64_t i = 0; i < load.model.tensorCount; ++i)
    if (belongs(load.model, load.model.tensors[i], load.states) && !load.found[i])
      return fail(load.message, Status::mismatch, "%s: %s%s is missing", load.source, load.whose(),
                  load.model.tensors[i].name);
  if (load.foreign) // the same names and shapes, yet in another order or of another optimizer
    return fail(load.message, Status::mismatch, "%s: %sthe tensors agree, the fingerprint of %s does not",
                load.source, load.whose(), load.model.name);
  return Status::ok;
}

struct Counters {
  std::uint64_t step, epoch, samples, seed;
  const NetcEntry *window;
};

void writeHeader(SafetensorsWriter &writer, const NetcModel &model, bool states, const Counters &now) {
  char value[40];
  const auto counter = [&](const char *key, std::uint64_t of) {
    std::snprintf(value, sizeof value, "%llu", static_cast<unsigned long long>(of));
    writer.metadata(key, value);
  };
  writer.begin();
  if (states) writer.metadata(sealKey, openSeal);
  writer.metadata("model", model.name);
  fingerprint(model, false, value, sizeof value);
  writer.metadata("fingerprint", value);
  if (states) {
    writer.metadata("state_fingerprint", model.fingerprint);
    counter("step", now.step);
    counter("epoch", now.epoch);
    if (now.samples > 0) counter("samples", now.samples), writer.metadata("window", now.window->name);
    counter("seed", now.seed);
  }
  for (std::int64_t i = 0; i < model.tensorCount; ++i)
    if (belongs(model, model.tensors[i], states))
      writer.tensor(model.tensors[i].name, model.tensors[i].shape, model.tensors[i].rank,
                    bytesIn(model.tensors[i]));
  writer.endHeader();
}

} // namespace

Status Core::saveBytes(void *buffer, std::size_t *size, bool states) const {
  if (!usable()) return status_;
  if (!size) return status_ = fail(message_, Status::badArgument, "size: null pointer");
  SafetensorsWriter count(nullptr);
  const Counters counters{step_, epoch_, samples_, seed_, window_};
  writeHeader(count, model_, states, counters);
  std::size_t needed = count.size();
  for (std::int64_t i = 0; i < model_.tensorCount; ++i)
    if (belongs(model_, model_.tensors[i], states)) needed += bytesIn(model_.tensors[i]);
  std::size_t available = *size;
  *size = needed;
  message_[0] = 0;
  status_ = Status::ok;
  if (!buffer) return status_;
  if (available < needed)
    return status_ =
               fail(message_, Status::badArgument, "buffer of %zu bytes, %zu needed", available, needed);
  SafetensorsWriter writer(static_cast<unsigned char *>(buffer));
  writeHeader(writer, model_, states, counters);
  for (std::int64_t i = 0; i < model_.tensorCount; ++i) {
    const NetcTensor &tensor = model_.tensors[i];
    if (!belongs(model_, tensor, states)) continue;
    Places places(tensor);
    for (std::size_t left = bytesIn(tensor); left > 0; left -= 4)
      writer.data(store_ + tensor.store + 4 * places.next(), 4);
  }
  if (states) sealState(static_cast<unsigned char *>(buffer), needed);
  return status_;
}

Status Core::saveFile(const char *path, bool states) const {
  if (!usable()) return status_;
  if (!path) return status_ = fail(message_, Status::badArgument, "path: null pointer");
  std::size_t size = 0;
  if (saveBytes(nullptr, &size, states) != Status::ok) return status_;
  void *bytes = std::malloc(size);
  if (!bytes) return status_ = fail(message_, Status::outOfMemory, "%s: no memory for %zu bytes", path, size);
  if (saveBytes(bytes, &size, states) == Status::ok) status_ = writeFile(path, bytes, size, message_);
  std::free(bytes);
  return status_;
}

Status Core::loadBytes(const unsigned char *bytes, std::size_t size, const char *source, bool states) {
  if (!usable()) return status_;
  if (!bytes) return status_ = fail(message_, Status::badArgument, "%s: null pointer", source);
  message_[0] = 0;
  unsigned char *found =
      static_cast<unsigned char *>(std::calloc(static_cast<std::size_t>(model_.tensorCount) + 1, 1));
  if (!found) return status_ = fail(message_, Status::outOfMemory, "%s: no memory", source);
  Loading load{model_, *target_, source, states, nullptr, found, message_};
  load.window = trainingEntry(*target_, nullptr);
  FileVisitor visitor{&load, loadTensor, loadMetadata};
  status_ = readSafetensors(bytes, size, source, visitor, message_);
  if (status_ == Status::ok) status_ = checkComplete(load);
  if (states && status_ != Status::badFile && !isSealWhole(bytes, size)) // whatever else seems wrong with it
    status_ = fail(message_, Status::badFile, "%s: damaged: its checksum does not match", source);
  if (status_ == Status::ok) {
    load.store = store_;
    readSafetensors(bytes, size, source, visitor, message_);
    step_ = states ? load.step : step_;
    epoch_ = states ? load.epoch : epoch_;
    samples_ = states ? load.samples : samples_;
    window_ = states ? load.window : window_;
    seed_ = states && load.hasSeed ? load.seed : seed_;
  }
  std::free(found);
  return status_;
}

Status Core::loadFile(const char *path, bool states) {
  if (!usable()) return status_;
  if (!path) return status_ = fail(message_, Status::badArgument, "path: null pointer");
  unsigned char *bytes = nullptr;
  std::size_t size = 0;
  status_ = readFile(path, &bytes, &size, message_);
  if (status_ == Status::ok) loadBytes(bytes, size, path, states);
  std::free(bytes);
  return status_;
}

Status Core::save(const char *path) const noexcept {
  return saveFile(path, false);
}
Status Core::load(const char *path) noexcept {
  return loadFile(path, false);
}
Status Core::saveState(const char *path) const noexcept {
  return saveFile(path, true);
}
Status Core::loadState(const char *path) noexcept {
  return loadFile(path, true);
}
Status Core::save(void *buffer, std::size_t *size) const noexcept {
  return saveBytes(buffer, size, false);
}
Status Core::saveState(void *buffer, std::size_t *size) const noexcept {
  return saveBytes(buffer, size, true);
}
Status Core::load(const void *buffer, std::size_t size) noexcept {
  return loadBytes(static_cast<const unsigned char *>(buffer), size, "buffer", false);
}
Status Core::loadState(const void *buffer, std::size_t size) noexcept {
  return loadBytes(static_cast<const unsigned char *>(buffer), size, "buffer", true);
}

} // namespace netc
