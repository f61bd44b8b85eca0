#include "run.h"

#include "failure.h"
#include "float_mode.h"
#include "tables.h"

#include <cstring>

namespace netc {
namespace {

// A chain of stages that run depth first: stages[0..length), all with the same iterations.
struct StageCall {
  const NetcStage *stages;
  std::int64_t length;
  const NetcFrame *frame;
  std::int64_t iterations, parts, partBytes;
};

void runPart(void *argument, std::size_t index) {
  const StageCall &call = *static_cast<const StageCall *>(argument);
  std::int64_t part = static_cast<std::int64_t>(index);
  FloatMode mode;
  NetcFrame frame = *call.frame;
  frame.part += part * call.partBytes;
  std::int64_t begin = call.iterations * part / call.parts, end = call.iterations * (part + 1) / call.parts;
  if (call.length == 1) return netcRunStage(call.stages, frame, begin, end);
  for (std::int64_t i = begin; i < end; ++i)
    for (std::int64_t stage = 0; stage < call.length; ++stage) netcRunStage(call.stages + stage, frame, i, i + 1);
}

void runChain(const NetcStage *stages, std::int64_t length, const NetcFrame &frame, std::int64_t partBytes,
              const Dispatch &dispatch) {
  const NetcStage &stage = stages[0];
  std::int64_t blocks = (frame.count + 15) / 16, fullBlocks = frame.count / 16;
  std::int64_t iterations =
      stage.perBlock * blocks + stage.perFullBlock * fullBlocks + stage.perCount * frame.count + stage.fixed;
  std::int64_t parts = static_cast<std::int64_t>(dispatch.parts);
  if (length > 1 && partBytes > 0 && parts > NETC_PART_COUNT) parts = NETC_PART_COUNT;
  StageCall call{stages, length, &frame, iterations, iterations < parts ? iterations : parts, length > 1 ? partBytes : 0};
  if (call.parts <= 1) {
    call.parts = 1;
    runPart(&call, 0);
  } else {
    dispatch.executor.run(dispatch.executor.context, static_cast<std::size_t>(call.parts), runPart, &call);
  }
}

template <class Label>
Status checkLabels(const NetcTensor &target, const void *data, std::size_t samples, char *message) {
  const Label *labels = static_cast<const Label *>(data);
  std::size_t perSample = elementCount(target.shape, target.rank);
  if (target.batch && target.rank > 0) perSample /= static_cast<std::size_t>(target.shape[0]);
  std::size_t count = target.batch ? samples * perSample : perSample;
  for (std::size_t i = 0; i < count; ++i)
    if (labels[i] < 0 || labels[i] >= target.classes)
      return fail(message, Status::badLabel, "%s: label %lld of sample %zu, expected 0 to %lld", target.name,
                  static_cast<long long>(labels[i]), target.batch ? i / perSample : 0,
                  static_cast<long long>(target.classes - 1));
  return Status::ok;
}

Status checkInput(const NetcTensor &tensor, bool isPredict, const void *data, std::size_t count,
                  char *message) {
  if (!data) {
    if (isPredict && tensor.role == NETC_TARGET) return Status::ok;
    return fail(message, Status::badArgument, "%s: null pointer", tensor.name);
  }
  if (tensor.role != NETC_TARGET || tensor.classes <= 0) return Status::ok;
  if (tensor.type == NETC_I32) return checkLabels<std::int32_t>(tensor, data, count, message);
  if (tensor.type == NETC_U8 || tensor.type == NETC_BOOL)
    return checkLabels<std::uint8_t>(tensor, data, count, message);
  return Status::ok;
}

} // namespace

Status checkCall(const NetcModel &model, const NetcEntry &entry, const void *const *inputs, std::size_t count,
                 char *message) {
  if (count < 1 || count > static_cast<std::size_t>(model.maxBatch))
    return fail(message, Status::badCount, "count %zu, expected 1 to %lld (netc --batch N plans for more)",
                count, static_cast<long long>(model.maxBatch));
  bool isPredict = !std::strcmp(entry.name, "predict");
  for (std::int64_t i = 0, slot = 0; i < model.tensorCount; ++i) {
    if (inStore(model.tensors[i])) continue;
    if (!inputs) return fail(message, Status::badArgument, "inputs: null pointer");
    Status status = checkInput(model.tensors[i], isPredict, inputs[slot++], count, message);
    if (status != Status::ok) return status;
  }
  return Status::ok;
}

std::size_t scratchSize(const NetcResult &result) {
  return (elementCount(result.shape, result.rank) * bytesOf(result.type) + 3) / 4 * 4;
}

Status placeOutputs(const NetcEntry &entry, void *const *outputs, void **slots, unsigned char *scratch,
                    std::size_t scratchBytes, char *message) {
  std::size_t used = 0;
  for (std::int64_t i = 0; i < entry.resultCount; ++i) {
    const NetcResult &result = entry.results[i];
    slots[i] = outputs ? outputs[i] : nullptr;
    std::size_t bytes = result.kind == NETC_OUTPUT ? 0 : scratchSize(result);
    bool fits = result.kind != NETC_OUTPUT && used + bytes <= scratchBytes;
    if (!slots[i] && !fits)
      return fail(message, Status::badArgument, "%s: null pointer for a result", result.name);
    if (!slots[i]) slots[i] = scratch + used;
    used += bytes; // also where the caller gave a place: a slot's offset depends on the tables alone
  }
  return Status::ok;
}

// "lr", or "lr.2" where the parts of a plan have rates of their own.
static bool isRate(const char *name) {
  return !std::strncmp(name, "lr", 2) && (name[2] == 0 || name[2] == '.');
}

void evaluateScalars(const NetcEntry &entry, const ScalarInputs &in, const float *rate, float *scalars) {
  for (std::int64_t i = 0; i < entry.scalarCount; ++i) {
    const NetcScalar &scalar = entry.scalars[i];
    std::uint32_t bits = scalarBits(scalar, in);
    std::memcpy(scalars + i, &bits, sizeof bits);
    if (rate && isRate(scalar.name)) scalars[i] = *rate;
  }
}

const NetcEntry *forOneSample(const NetcModel &model, const NetcTarget &target, const NetcEntry &entry) {
  std::size_t inputs = 0;
  for (std::int64_t i = 0; i < model.tensorCount; ++i)
    inputs += !inStore(model.tensors[i]);
  const bool predicts = !std::strcmp(entry.name, "predict") && inputs <= OneSample::maxInputs;
  return predicts ? findEntry(target, "predictOne") : nullptr;
}

static std::size_t sampleBytes(std::int64_t type, const std::int64_t *shape, std::int64_t rank) {
  return elementCount(shape + 1, rank - 1) * bytesOf(type);
}

OneSample::OneSample(const NetcModel &model, const NetcEntry &entry, const void *const *from, void *const *to, std::size_t i) {
  for (std::int64_t t = 0, slot = 0; t < model.tensorCount; ++t) {
    const NetcTensor &tensor = model.tensors[t];
    if (inStore(tensor)) continue;
    const unsigned char *all = static_cast<const unsigned char *>(from[slot]);
    inputs[slot++] = all && tensor.batch ? all + i * sampleBytes(tensor.type, tensor.shape, tensor.rank) : all;
  }
  for (std::int64_t r = 0; r < entry.resultCount; ++r) {
    const NetcResult &result = entry.results[r];
    unsigned char *all = to ? static_cast<unsigned char *>(to[r]) : nullptr;
    outputs[r] = all && result.batch ? all + i * sampleBytes(result.type, result.shape, result.rank) : all;
  }
}

void runStages(const NetcEntry &entry, std::int64_t from, std::int64_t to, const NetcFrame &frame,
               const Dispatch &dispatch) {
  NetcFrame own = frame;
  own.part = frame.workspace + entry.workspaceBytes - NETC_PART_COUNT * entry.partBytes;
  for (std::int64_t i = from; i < to;) {
    std::int64_t length = 1;
    while (i + length < to && entry.stages[i + length - 1].depthFirst)
      ++length;
    const NetcStage *chain = entry.stages + i;
    if (chain->turns == 0) runChain(chain, length, own, entry.partBytes, dispatch);
    for (own.turn = 0; own.turn < chain->turns; ++own.turn)
      for (std::int64_t stage = 0; stage < length; ++stage) runChain(chain + stage, 1, own, 0, dispatch);
    own.turn = 0;
    i += length;
  }
}

} // namespace netc
