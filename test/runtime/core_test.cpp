#include "check.h"
#include "small_model.h"

#include "netc/model.h"
#include "netc/netc.h"
#include "netc/random.h"
#include "src/scalars.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

namespace test {

using netc::Core;
using netc::Status;

namespace {

struct Batch {
  std::vector<float> x;
  std::vector<std::int32_t> label;
  const void *inputs[2];
  Batch() : x(maxBatch * features), label(maxBatch) {
    netc::fillUniform(x.data(), x.size(), -1, 1, 3);
    for (int n = 0; n < maxBatch; ++n)
      label[static_cast<std::size_t>(n)] = n % 4;
    inputs[0] = x.data();
    inputs[1] = label.data();
  }
};

std::vector<unsigned char> storeOf(const Core &core) {
  return {core.store(), core.store() + core.model().storeBytes};
}

netc::Options withThreads(unsigned threads) {
  netc::Options options;
  options.threads = threads;
  return options;
}

std::vector<unsigned char> train(Core &core, int steps) {
  Batch batch;
  for (int i = 0; i < steps; ++i)
    core.trainStep(batch.inputs, i % 5 == 4 ? 17 : maxBatch);
  return storeOf(core);
}

void construction() {
  Core core(smallModel);
  EQUAL(core.status() == Status::ok, true);
  EQUAL(std::string(core.target()), "native"); // the best that this machine has
  EQUAL(core.parameterCount(), 2u);
  EQUAL(core.stateCount(), 1u);
  EQUAL(std::string(core.parameter(0).name()), "fc.weight");
  EQUAL(core.parameter(0).size(), 3u);
  EQUAL(core.parameter(1).rank(), 0u);
  EQUAL(core.memoryBytes(), 192u + 512u + Core::callBytes);
  float weight[3], expected[3], bias;
  core.parameter(0).get(weight);
  netc::fillUniform(expected, 3, -0.5f, 0.5f, netc::streamKey(0, "fc.weight"));
  for (int k = 0; k < 3; ++k)
    EQUAL(weight[k], expected[k]);
  core.parameter(1).get(&bias);
  EQUAL(bias, 0.25f);
  netc::Options seeded;
  seeded.seed = 1;
  HOLDS(storeOf(Core(smallModel, seeded)) != storeOf(core));
  HOLDS(storeOf(Core(smallModel)) == storeOf(core));
  float values[3] = {1, 2, 3}, back[3];
  core.parameter(0).set(values);
  core.parameter(0).get(back);
  HOLDS(!std::memcmp(values, back, sizeof back));
}

void learning() {
  Core core(smallModel);
  Batch batch;
  float first = core.trainStep(batch.inputs, maxBatch), last = 0;
  EQUAL(core.step(), 1u);
  for (int i = 0; i < 100; ++i)
    last = core.trainStep(batch.inputs, maxBatch);
  HOLDS(std::isfinite(first) && last < first);
  EQUAL(core.step(), 101u);
  EQUAL(core.run("evaluate", batch.inputs, nullptr, maxBatch) == Status::ok, true);
  float loss, accuracy;
  void *outputs[2] = {&loss, &accuracy};
  float evaluated = core.lastResult(0), right = core.lastResult(1);
  HOLDS(evaluated > 0 && right > 0 && right < 1);
  core.run("evaluate", batch.inputs, outputs, maxBatch);
  EQUAL(loss, evaluated);
  EQUAL(accuracy, right);
  HOLDS(std::isnan(core.lastResult(2)));
  EQUAL(core.step(), 101u);
}

// The same bits for every number of threads, and denormals flushed on each of them.
void threads() {
  Core one(smallModel);
  std::vector<unsigned char> expected = train(one, 200);
  sawFlushedDenormals();
  for (unsigned n : {0u, 2u, 3u, 4u}) { // 0 counts as 1
    Core core(smallModel, withThreads(n));
    HOLDS(train(core, 200) == expected);
    HOLDS(sawFlushedDenormals());
  }
  volatile float tiny = 1e-38f;
  HOLDS(tiny * 0.01f != 0); // the caller's mode is back
}

struct Recorder {
  int calls = 0, parts = 0;
};

void recordRun(void *context, std::size_t parts, void (*part)(void *, std::size_t), void *argument) {
  Recorder &recorder = *static_cast<Recorder *>(context);
  recorder.calls++;
  recorder.parts += static_cast<int>(parts);
  for (std::size_t i = parts; i-- > 0;) // any order
    std::thread(part, argument, i).join();
}

void executor() {
  Recorder recorder;
  netc::Options options = withThreads(3);
  options.executor.context = &recorder;
  options.executor.run = recordRun;
  Core core(smallModel, options), one(smallModel);
  HOLDS(train(core, 5) == train(one, 5));
  EQUAL(recorder.calls, 5 * 2); // stages of one iteration stay on the caller
  EQUAL(recorder.parts, 4 * (3 + 3) + (3 + 2));
}

void callersMemory() {
  Core plain(smallModel);
  std::vector<unsigned char> memory(plain.memoryBytes() + 64);
  std::uintptr_t at = reinterpret_cast<std::uintptr_t>(memory.data());
  netc::Options options;
  options.memory = memory.data() + (64 - at % 64) % 64;
  options.memorySize = plain.memoryBytes();
  Core core(smallModel, options);
  EQUAL(core.status() == Status::ok, true);
  HOLDS(core.store() == options.memory);
  HOLDS(train(core, 3) == train(plain, 3));
  options.memorySize -= 1;
  Core tooSmall(smallModel, options);
  EQUAL(tooSmall.status() == Status::outOfMemory, true);
  CONTAINS(tooSmall.message(), "expected 1728, 64-byte aligned");
  Batch batch;
  HOLDS(std::isnan(tooSmall.trainStep(batch.inputs, 1)));
  EQUAL(tooSmall.status() == Status::outOfMemory, true);
  EQUAL(tooSmall.save("unused") == Status::outOfMemory, true);
}

// Whatever is refused changes no byte.
void refusals() {
  Core core(smallModel);
  Batch batch;
  train(core, 2);
  std::vector<unsigned char> before = storeOf(core);
  for (std::size_t count : {std::size_t{0}, std::size_t{maxBatch + 1}}) {
    HOLDS(std::isnan(core.trainStep(batch.inputs, count)));
    EQUAL(core.status() == Status::badCount, true);
    CONTAINS(core.message(), "expected 1 to 40");
  }
  batch.label[7] = 4;
  HOLDS(std::isnan(core.trainStep(batch.inputs, maxBatch)));
  EQUAL(core.status() == Status::badLabel, true);
  EQUAL(std::string(core.message()), "label: label 4 of sample 7, expected 0 to 3");
  HOLDS(!std::isnan(Core(smallModel).trainStep(batch.inputs, 7))); // labels beyond count are not looked at
  batch.label[7] = -1;
  HOLDS(std::isnan(core.trainStep(batch.inputs, maxBatch)));
  batch.label[7] = 3;
  batch.x[5] = std::numeric_limits<float>::infinity();
  HOLDS(std::isnan(core.trainStep(batch.inputs, maxBatch)));
  EQUAL(core.status() == Status::nonFiniteLoss, true);
  const void *nothing[2] = {batch.x.data(), nullptr};
  HOLDS(std::isnan(core.trainStep(nothing, maxBatch)));
  EQUAL(core.status() == Status::badArgument, true);
  EQUAL(core.run("predict", nothing, nullptr, 1) == Status::badArgument, true); // no place for y
  EQUAL(core.run("fly", nothing, nullptr, 1) == Status::noSuchEntry, true);
  EQUAL(std::string(core.message()), "small has no entry point fly");
  const auto refused = [&](Status status, const char *message) {
    EQUAL(status == Status::badArgument, true);
    EQUAL(std::string(core.message()), message);
  };
  const char *noPath = nullptr;
  const void *noBytes = nullptr;
  unsigned char byte = 0;
  refused(core.saveState(noPath), "path: null pointer");
  refused(core.load(noPath), "path: null pointer");
  refused(core.loadState(noBytes, 4000), "buffer: null pointer");
  refused(core.save(&byte, nullptr), "size: null pointer");
  EQUAL(core.parameterIndex("typo"), core.parameterCount());
  EQUAL(core.parameter(core.parameterCount()).size(), 0u);
  HOLDS(storeOf(core) == before);
  EQUAL(core.step(), 2u);
  batch.x[5] = 0;
  HOLDS(std::isfinite(core.trainStep(batch.inputs, maxBatch)));
  EQUAL(core.status() == Status::ok, true);
  EQUAL(std::string(core.message()), "");
}

void targets() {
  netc::Options options;
  options.target = "riscv-of-the-future";
  Core unsupported(smallModel, options);
  EQUAL(unsupported.status() == Status::noTarget, true);
  EQUAL(std::string(unsupported.message()), "this machine does not support the target riscv-of-the-future");
  options.target = "sse";
  Core unknown(smallModel, options);
  EQUAL(unknown.status() == Status::noTarget, true);
  EQUAL(std::string(unknown.message()), "no target 'sse'; the model has riscv-of-the-future, native");
  setenv("NETC_TARGET", "sse", 1);
  EQUAL(Core(smallModel).status() == Status::noTarget, true);
  options.target = "native"; // the option is stronger
  EQUAL(Core(smallModel, options).status() == Status::ok, true);
  unsetenv("NETC_TARGET");
  NetcModel old = smallModel;
  old.version = NETC_ABI_VERSION + 1;
  EQUAL(Core(old).status() == Status::badModel, true);
  NetcModel small = smallModel;
  small.storeBytes = 100;
  EQUAL(Core(small).status() == Status::badModel, true);
}

void learningRate() {
  Core core(plainModel);
  Batch batch;
  float before, after;
  auto moved = [&] {
    float all[3];
    core.parameter(0).get(all);
    before = all[0];
    core.trainStep(batch.inputs, 1);
    core.parameter(0).get(all);
    after = all[0];
    return before - after;
  };
  HOLDS(std::fabs(moved() - 0.1f) < 1e-6f);
  core.setEpoch(2);
  HOLDS(std::fabs(moved() - 0.025f) < 1e-6f);
  HOLDS(core.setLearningRate(0.5f) == Status::ok);
  for (float wrong : {-1.0f, std::nanf(""), HUGE_VALF}) HOLDS(core.setLearningRate(wrong) == Status::badArgument);
  EQUAL(std::string(core.message()), "a learning rate of inf, expected a finite one of at least 0");
  HOLDS(std::fabs(moved() - 0.5f) < 1e-6f);
  core.useSchedule();
  HOLDS(std::fabs(moved() - 0.025f) < 1e-6f);
}

/// However the store holds a tensor, callers and files see it in logical order.
void layouts() {
  static const std::int64_t shape[] = {32, 3, 16}, layout[] = {2, 768, 16, 1, 3, 256, 16, 16}; // blocked (2, 0)
  constexpr std::size_t elements = 32 * 3 * 16, at = (17 * 3 + 1) * 16 + 5, place = 768 + 1 + 256 + 5 * 16;
  static const char *const names[] = {"a", "b", "c"};
  std::vector<float> given(elements);
  for (std::size_t i = 0; i < elements; ++i)
    given[i] = static_cast<float>(elements - i);
  const auto tensorsOf = [&](std::int64_t digits) {
    std::vector<NetcTensor> list;
    for (const std::int64_t init : {NETC_INIT_UNIFORM, NETC_INIT_NORMAL, NETC_INIT_VALUES})
      list.push_back({names[list.size()], NETC_PARAM, NETC_F32, 3, shape, 0, 0, nullptr, init, -1, 1,
                      static_cast<std::int64_t>(list.size() * elements * sizeof(float)), given.data(), digits, digits ? layout : nullptr});
    return list;
  };
  const std::vector<NetcTensor> plainTensors = tensorsOf(0), blockedTensors = tensorsOf(4);
  NetcModel plain = smallModel;
  plain.tensors = plainTensors.data();
  plain.tensorCount = 3;
  plain.storeBytes = 3 * elements * sizeof(float);
  NetcModel blocked = plain;
  blocked.tensors = blockedTensors.data();
  Core one(plain), other(blocked);
  HOLDS(storeOf(one) != storeOf(other));
  std::vector<float> values(elements), same(elements);
  for (std::size_t i = 0; i < 3; ++i) {
    one.parameter(i).get(values.data());
    other.parameter(i).get(same.data());
    HOLDS(values == same && values[at] != values[at + 1]);
    const float *stored = reinterpret_cast<const float *>(other.store()) + i * elements;
    EQUAL(stored[place], values[at]);
  }
  HOLDS(values == given);
  const auto saved = [](const Core &core) {
    std::size_t size = 0;
    core.saveState(nullptr, &size);
    std::vector<char> bytes(size);
    core.saveState(bytes.data(), &size);
    return bytes;
  };
  HOLDS(saved(one) == saved(other));
  for (std::size_t i = 0; i < elements; ++i)
    values[i] = static_cast<float>(i);
  other.parameter(1).set(values.data());
  EQUAL(reinterpret_cast<const float *>(other.store())[elements + place], static_cast<float>(at));
  const std::vector<char> bytes = saved(other);
  HOLDS(bytes != saved(one));
  EQUAL(one.loadState(bytes.data(), bytes.size()) == Status::ok, true);
  Core third(blocked);
  EQUAL(third.loadState(bytes.data(), bytes.size()) == Status::ok, true);
  HOLDS(saved(one) == bytes && storeOf(third) == storeOf(other));
}

} // namespace

void coreTest() {
  construction();
  learning();
  threads();
  executor();
  callersMemory();
  refusals();
  targets();
  learningRate();
  layouts();
}

void predictorTest() {
  Core core(smallModel);
  Batch batch;
  const void *inputs[2] = {batch.x.data(), nullptr};
  float own[maxBatch], direct[maxBatch], later[maxBatch];
  void *toOwn[1] = {own}, *toDirect[1] = {direct}, *toLater[1] = {later};
  train(core, 3);
  netc::CorePredictor predictor(core);
  EQUAL(core.run("predict", inputs, toDirect, maxBatch) == Status::ok, true);
  EQUAL(predictor.run(inputs, toOwn, maxBatch) == Status::ok, true);
  HOLDS(!std::memcmp(own, direct, sizeof own) && own[0] != 0);
  train(core, 3);
  predictor.run(inputs, toLater, maxBatch);
  HOLDS(!std::memcmp(own, later, sizeof own)); // its weights are its own
  EQUAL(predictor.refresh(core) == Status::ok, true);
  predictor.run(inputs, toLater, maxBatch);
  HOLDS(std::memcmp(own, later, sizeof own) != 0);
  EQUAL(predictor.run(inputs, toLater, maxBatch + 1) == Status::badCount, true);
  Core other(plainModel);
  EQUAL(predictor.refresh(other) == Status::badArgument, true);
}

void cInterfaceTest() {
  NetcCore *core = nullptr;
  EQUAL(netc_create(&smallModel, nullptr, &core), static_cast<int>(NETC_OK));
  Batch batch;
  float loss = 0;
  EQUAL(netc_train_step(core, batch.inputs, maxBatch, &loss), static_cast<int>(NETC_OK));
  HOLDS(loss > 0);
  EQUAL(netc_train_step(core, batch.inputs, 0, &loss), static_cast<int>(NETC_BAD_COUNT));
  HOLDS(std::isnan(loss));
  EQUAL(std::string(netc_text(NETC_BAD_COUNT)), "count out of range");
  EQUAL(netc_parameter_count(core), 2u);
  EQUAL(netc_parameter_size(core, 0), 3u);
  HOLDS(netc_parameter_name(core, 2) == nullptr);
  float values[3];
  EQUAL(netc_parameter_get(core, 0, values), static_cast<int>(NETC_OK));
  EQUAL(netc_parameter_get(core, 2, values), static_cast<int>(NETC_BAD_ARGUMENT));
  EQUAL(netc_step(core), 1u);
  EQUAL(netc_set_learning_rate(core, -0.1f), static_cast<int>(NETC_BAD_ARGUMENT));
  EQUAL(netc_set_learning_rate(core, 0), static_cast<int>(NETC_OK));
  netc_use_schedule(core);
  EQUAL(netc_parameter_index(core, netc_parameter_name(core, 1)), 1u);
  EQUAL(netc_parameter_index(core, "none"), 2u);
  std::size_t size = 0, rank = 0;
  EQUAL(netc_save_state_bytes(core, nullptr, &size), static_cast<int>(NETC_OK));
  std::vector<char> state(size), again(size);
  EQUAL(netc_save_state_bytes(core, state.data(), &size), static_cast<int>(NETC_OK));
  EQUAL(netc_parameter_shape(core, 0, &rank)[0], 3);
  EQUAL(rank, 1u);
  int stages = 0;
  NetcOptions own{};
  own.threads = 2;
  own.executor.context = &stages;
  own.executor.run = [](void *count, std::size_t parts, void (*part)(void *, std::size_t), void *argument) {
    ++*static_cast<int *>(count);
    for (std::size_t i = parts; i-- > 0;) part(argument, i);
  };
  NetcCore *other = nullptr;
  EQUAL(netc_create(&smallModel, &own, &other), static_cast<int>(NETC_OK));
  EQUAL(netc_load_state_bytes(other, state.data(), size), static_cast<int>(NETC_OK));
  EQUAL(netc_train_step(other, batch.inputs, maxBatch, nullptr), static_cast<int>(NETC_OK));
  EQUAL(netc_train_step(core, batch.inputs, maxBatch, nullptr), static_cast<int>(NETC_OK));
  HOLDS(stages > 0);
  netc_save_state_bytes(core, state.data(), &size);
  netc_save_state_bytes(other, again.data(), &size);
  HOLDS(state == again);
  netc_destroy(other);
  netc_destroy(core);
  NetcOptions options{};
  options.target = "sse";
  EQUAL(netc_create(&smallModel, &options, &core), static_cast<int>(NETC_NO_TARGET));
  HOLDS(core == nullptr);
}

namespace {

// The words of a key are integers: exact for every seed and for steps that a float32 cannot tell apart.
void keys() {
  const std::uint64_t path = netc::hashName("dropout1.uniform1");
  NetcScalarOp ops[] = {{NETC_CONST, static_cast<double>(path >> 32)},
                        {NETC_CONST, static_cast<double>(path & 0xffffffffu)},
                        {NETC_KEY_LOW, 0}};
  for (std::uint64_t step : {std::uint64_t{0}, (std::uint64_t{1} << 40) + 1, (std::uint64_t{1} << 40) + 2}) {
    netc::ScalarInputs in{1, static_cast<double>(step), 0, 0, ~std::uint64_t{0} - 1};
    const std::uint64_t key = netc::drawKey(in.seed, path, step);
    ops[2].code = NETC_KEY_LOW;
    EQUAL(netc::scalarBits({"low", ops, 3}, in), static_cast<std::uint32_t>(key));
    ops[2].code = NETC_KEY_HIGH;
    EQUAL(netc::scalarBits({"high", ops, 3}, in), static_cast<std::uint32_t>(key >> 32));
  }
  EQUAL(netc::scalarBits({"half", ops, 1}, {}), netc::scalarBits({"half", ops, 1}, {0, 0, 0, 0, 7}));
  HOLDS(netc::drawKey(0, path, 1) != netc::drawKey(1, path, 0));
}

} // namespace

void scalarTest() {
  const NetcScalarOp warmUp[] = {{NETC_STEP, 0},    {NETC_STEPS, 0},   {NETC_DIV, 0}, {NETC_CONST, 0.25},
                                 {NETC_MINIMUM, 0}, {NETC_CONST, 4.0}, {NETC_MUL, 0}, {NETC_SQRT, 0},
                                 {NETC_COUNT, 0},   {NETC_ADD, 0},     {NETC_NEG, 0}};
  netc::ScalarInputs in{10, 25, 0, 100};
  EQUAL(netc::evaluateScalar({"s", warmUp, 11}, in), -11.0);
  const NetcScalarOp select[] = {{NETC_STEP, 0},  {NETC_CONST, 30}, {NETC_LT, 0},
                                 {NETC_CONST, 1}, {NETC_CONST, 2},  {NETC_SELECT, 0}};
  EQUAL(netc::evaluateScalar({"s", select, 6}, in), 1.0);
  HOLDS(std::isnan(netc::evaluateScalar({"s", select, 5}, in))); // three values left
  HOLDS(std::isnan(netc::evaluateScalar({"s", select + 2, 1}, in)));
  const NetcScalarOp unknown[] = {{99, 0}};
  HOLDS(std::isnan(netc::evaluateScalar({"s", unknown, 1}, in)));
  keys();
}

} // namespace test
