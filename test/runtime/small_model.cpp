#include "small_model.h"

#include <atomic>
#include <cmath>
#include <cstdint>

namespace test {
namespace {

// The store: w at 0, b at 64, w's velocity at 128. The workspace: y of each sample, then 3 gradients of each
// block.
constexpr int velocityAt = 128, gradientAt = 64 * 4;

std::atomic<bool> denormalSeen{false};

void checkDenormals() {
  volatile float tiny = 1e-38f;
  volatile float denormal = tiny * 0.01f;
  if (denormal != 0) denormalSeen = true;
}

float *floats(const NetcFrame *f, int at) {
  return reinterpret_cast<float *>(f->store + at);
}
const float *x(const NetcFrame *f) {
  return static_cast<const float *>(f->inputs[0]);
}
float *work(const NetcFrame *f) {
  return reinterpret_cast<float *>(f->workspace);
}

// One iteration a sample.
void forward(const NetcFrame *f, std::int64_t begin, std::int64_t end) {
  checkDenormals();
  for (std::int64_t n = begin; n < end; ++n) {
    float y = floats(f, 64)[0];
    for (int k = 0; k < features; ++k)
      y += floats(f, 0)[k] * x(f)[n * features + k];
    work(f)[n] = y;
  }
}

void copyOut(const NetcFrame *f, std::int64_t, std::int64_t) {
  for (std::int64_t n = 0; n < f->count; ++n)
    static_cast<float *>(f->outputs[0])[n] = work(f)[n];
}

float difference(const NetcFrame *f, std::int64_t n) {
  return work(f)[n] - static_cast<float>(static_cast<const std::int32_t *>(f->inputs[1])[n]);
}

void loss(const NetcFrame *f, std::int64_t, std::int64_t) {
  float sum = 0;
  for (std::int64_t n = 0; n < f->count; ++n)
    sum += difference(f, n) * difference(f, n);
  *static_cast<float *>(f->outputs[0]) = sum / static_cast<float>(f->count);
}

void metric(const NetcFrame *f, std::int64_t, std::int64_t) {
  float right = 0;
  for (std::int64_t n = 0; n < f->count; ++n)
    right += std::fabs(difference(f, n)) < 0.5f;
  *static_cast<float *>(f->outputs[1]) = right / static_cast<float>(f->count);
}

// One iteration a block of 16 samples: its partial gradient.
void gradient(const NetcFrame *f, std::int64_t begin, std::int64_t end) {
  checkDenormals();
  for (std::int64_t block = begin; block < end; ++block)
    for (int k = 0; k < features; ++k) {
      float sum = 0;
      for (std::int64_t n = 16 * block; n < 16 * block + 16 && n < f->count; ++n)
        sum += difference(f, n) * x(f)[n * features + k];
      work(f)[gradientAt / 4 + features * block + k] = sum;
    }
}

void update(const NetcFrame *f, std::int64_t, std::int64_t) {
  checkDenormals();
  std::int64_t blocks = (f->count + 15) / 16;
  for (int k = 0; k < features; ++k) {
    float sum = 0;
    for (std::int64_t block = 0; block < blocks; ++block)
      sum += work(f)[gradientAt / 4 + features * block + k];
    float &v = floats(f, velocityAt)[k];
    v = 0.9f * v + 2 * sum / static_cast<float>(f->count);
    floats(f, 0)[k] -= f->scalars[0] * v;
  }
}

void plainUpdate(const NetcFrame *f, std::int64_t, std::int64_t) {
  floats(f, 0)[0] -= f->scalars[0];
}

// lr = 0.1 * 0.5 ^ epoch
const NetcScalarOp rateOps[] = {
    {NETC_CONST, 0.1}, {NETC_CONST, 0.5}, {NETC_EPOCH, 0}, {NETC_POW, 0}, {NETC_MUL, 0}};
const NetcScalar scalars[] = {{"lr", rateOps, 5}};
const std::int64_t inputShape[] = {maxBatch, features}, labelShape[] = {maxBatch}, weightShape[] = {features},
                   otherShape[] = {2};
const NetcResult predictResults[] = {{"y", NETC_OUTPUT, NETC_F32, 1, labelShape, 1}};
const NetcResult evaluateResults[] = {{"loss", NETC_LOSS, NETC_F32, 0, nullptr, 0},
                                      {"accuracy", NETC_METRIC, NETC_F32, 0, nullptr, 0}};
const NetcStage predictStages[] = {{"y", forward, 0, 0, 1, 0, 240, 0, 0, nullptr}, {"copy", copyOut, 0, 0, 0, 1, 0, 0, 0, nullptr}};
const NetcStage evaluateStages[] = {{"y", forward, 0, 0, 1, 0, 240, 0, 0, nullptr},
                                    {"loss", loss, 0, 0, 0, 1, 0, 0, 0, nullptr},
                                    {"accuracy", metric, 0, 0, 0, 1, 0, 0, 0, nullptr}};
const NetcStage stepStages[] = {{"y", forward, 0, 0, 1, 0, 240, 0, 0, nullptr},
                                {"loss", loss, 0, 0, 0, 1, 0, 0, 0, nullptr},
                                {"gradient", gradient, 1, 0, 0, 0, 240, 0, 0, nullptr},
                                {"update", update, 0, 0, 0, 1, 0, 0, 0, nullptr}};
const NetcStage plainStages[] = {{"y", forward, 0, 0, 1, 0, 240, 0, 0, nullptr},
                                 {"loss", loss, 0, 0, 0, 1, 0, 0, 0, nullptr},
                                 {"update", plainUpdate, 0, 0, 0, 1, 0, 0, 0, nullptr}};
const NetcEntry entries[] = {{"predict", 512, 0, nullptr, 0, predictResults, 1, predictStages, 2, 2, 0},
                             {"evaluate", 512, 0, nullptr, 0, evaluateResults, 2, evaluateStages, 3, 3, 0},
                             {"trainStep", 512, 0, scalars, 1, evaluateResults, 1, stepStages, 4, 3, 0}};
const NetcEntry plainEntries[] = {{"predict", 512, 0, nullptr, 0, predictResults, 1, predictStages, 2, 2, 0},
                                  {"trainStep", 512, 0, scalars, 1, evaluateResults, 1, plainStages, 3, 2, 0}};
const NetcTarget targets[] = {{"riscv-of-the-future", entries, 3}, {"native", entries, 3}};
const NetcTarget plainTargets[] = {{"native", plainEntries, 2}};

#define INPUTS                                                                                               \
  {"x", NETC_INPUT, NETC_F32, 2, inputShape, 1, 0, nullptr, 0, 0, 0, 0, nullptr, 0, nullptr},                                     \
      {"label", NETC_TARGET, NETC_I32, 1, labelShape, 1, 4, nullptr, 0, 0, 0, 0, nullptr, 0, nullptr}, {                          \
    "fc.weight", NETC_PARAM, NETC_F32, 1, weightShape, 0, 0, nullptr, NETC_INIT_UNIFORM, -0.5, 0.5, 0, nullptr, 0, nullptr \
  }
const NetcTensor tensors[] = {
    INPUTS,
    {"fc.bias", NETC_PARAM, NETC_F32, 0, nullptr, 0, 0, nullptr, NETC_INIT_CONSTANT, 0.25, 0, 64, nullptr, 0, nullptr},
    {"fc.weight.velocity", NETC_STATE, NETC_F32, 1, weightShape, 0, 0, nullptr, NETC_INIT_CONSTANT, 0, 0,
     velocityAt, nullptr, 0, nullptr}};
const NetcTensor otherTensors[] = {
    INPUTS, {"fc.bias", NETC_PARAM, NETC_F32, 1, otherShape, 0, 0, nullptr, NETC_INIT_NORMAL, 0, 1, 64, nullptr, 0, nullptr}};

} // namespace

const NetcModel smallModel = {NETC_ABI_VERSION, "small", "0123456789abcdef", maxBatch, 140, tensors, 5,
                              targets,          2,       nullptr};
const NetcModel plainModel = {NETC_ABI_VERSION, "plain", "1111111111111111", maxBatch, 128,
                              tensors,          4,       plainTargets,       1,       nullptr};
const NetcModel otherModel = {NETC_ABI_VERSION, "other", "fedcba9876543210", maxBatch, 128, otherTensors, 4,
                              targets,          2,       nullptr};

bool sawFlushedDenormals() {
  return !denormalSeen.exchange(false);
}

} // namespace test
