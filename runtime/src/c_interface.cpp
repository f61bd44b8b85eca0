#include "netc/netc.h"

#include "netc/model.h"

#include <cstdlib>
#include <new>

using netc::Core;

struct NetcCore {
  Core core;
  NetcCore(const NetcModel &model, const netc::Options &options) : core(model, options) {}
};

struct NetcPredictor {
  netc::CorePredictor predictor;
  explicit NetcPredictor(const Core &core) : predictor(core) {}
};

static_assert(NETC_WRONG_RESULT == static_cast<int>(netc::Status::wrongResult),
              "the codes of both interfaces are the same");

static int code(netc::Status status) {
  return static_cast<int>(status);
}

/// Hands `made` over if its construction succeeded.
template <class Handle> static int given(Handle *made, netc::Status status, Handle **to) {
  if (status != netc::Status::ok)
    delete made;
  else
    *to = made;
  return code(status);
}

extern "C" {

const char *netc_text(int status) {
  return netc::text(static_cast<netc::Status>(status));
}

int netc_create(const NetcModel *model, const NetcOptions *options, NetcCore **core) {
  *core = nullptr;
  netc::Options chosen;
  if (options) {
    chosen.seed = options->seed;
    chosen.threads = options->threads;
    chosen.memory = options->memory;
    chosen.memorySize = options->memorySize;
    chosen.target = options->target;
    chosen.executor = {options->executor.context, options->executor.run};
  }
  NetcCore *made = new (std::nothrow) NetcCore(*model, chosen);
  if (!made) return NETC_OUT_OF_MEMORY;
  return given(made, made->core.status(), core);
}

void netc_destroy(NetcCore *core) {
  delete core;
}

int netc_train_step(NetcCore *core, const void *const *inputs, size_t count, float *loss) {
  return netc_train_plan(core, nullptr, inputs, count, loss);
}

int netc_train_plan(NetcCore *core, const char *plan, const void *const *inputs, size_t count, float *loss) {
  float value = core->core.trainStep(plan, inputs, count);
  if (loss) *loss = value;
  return code(core->core.status());
}

int netc_end_window(NetcCore *core) {
  return code(core->core.endWindow());
}
int netc_end_epoch(NetcCore *core) {
  return code(core->core.endEpoch());
}

int netc_run(NetcCore *core, const char *entry, const void *const *inputs, void *const *outputs,
             size_t count) {
  return code(core->core.run(entry, inputs, outputs, count));
}

float netc_last_result(const NetcCore *core, size_t slot) {
  return core->core.lastResult(slot);
}

int netc_save(const NetcCore *core, const char *path) {
  return code(core->core.save(path));
}
int netc_load(NetcCore *core, const char *path) {
  return code(core->core.load(path));
}
int netc_save_state(const NetcCore *core, const char *path) {
  return code(core->core.saveState(path));
}
int netc_load_state(NetcCore *core, const char *path) {
  return code(core->core.loadState(path));
}
int netc_save_bytes(const NetcCore *core, void *buffer, size_t *size) {
  return code(core->core.save(buffer, size));
}
int netc_load_bytes(NetcCore *core, const void *buffer, size_t size) {
  return code(core->core.load(buffer, size));
}
int netc_save_state_bytes(const NetcCore *core, void *buffer, size_t *size) {
  return code(core->core.saveState(buffer, size));
}
int netc_load_state_bytes(NetcCore *core, const void *buffer, size_t size) {
  return code(core->core.loadState(buffer, size));
}

int netc_set_learning_rate(NetcCore *core, float rate) {
  return code(core->core.setLearningRate(rate));
}
void netc_use_schedule(NetcCore *core) {
  core->core.useSchedule();
}
void netc_set_step(NetcCore *core, uint64_t step) {
  core->core.setStep(step);
}
void netc_set_epoch(NetcCore *core, uint64_t epoch) {
  core->core.setEpoch(epoch);
}
void netc_set_steps(NetcCore *core, uint64_t steps) {
  core->core.setSteps(steps);
}
uint64_t netc_step(const NetcCore *core) {
  return core->core.step();
}
uint64_t netc_samples(const NetcCore *core) {
  return core->core.samples();
}
uint64_t netc_epoch(const NetcCore *core) {
  return core->core.epoch();
}
uint64_t netc_seed(const NetcCore *core) {
  return core->core.seed();
}

size_t netc_parameter_count(const NetcCore *core) {
  return core->core.parameterCount();
}

const char *netc_parameter_name(NetcCore *core, size_t i) {
  return i < core->core.parameterCount() ? core->core.parameter(i).name() : nullptr;
}

size_t netc_parameter_size(NetcCore *core, size_t i) {
  return i < core->core.parameterCount() ? core->core.parameter(i).size() : 0;
}

const int64_t *netc_parameter_shape(NetcCore *core, size_t i, size_t *rank) {
  const bool known = i < core->core.parameterCount();
  *rank = known ? core->core.parameter(i).rank() : 0;
  return known ? core->core.parameter(i).shape() : nullptr;
}

size_t netc_parameter_index(NetcCore *core, const char *name) {
  return core->core.parameterIndex(name);
}

int netc_parameter_get(NetcCore *core, size_t i, float *values) {
  if (i >= core->core.parameterCount() || !values) return NETC_BAD_ARGUMENT;
  core->core.parameter(i).get(values);
  return NETC_OK;
}

int netc_parameter_set(NetcCore *core, size_t i, const float *values) {
  if (i >= core->core.parameterCount() || !values) return NETC_BAD_ARGUMENT;
  core->core.parameter(i).set(values);
  return NETC_OK;
}

const char *netc_target(const NetcCore *core) {
  return core->core.target();
}
const char *netc_message(const NetcCore *core) {
  return core->core.message();
}
size_t netc_memory_bytes(const NetcCore *core) {
  return core->core.memoryBytes();
}

int netc_predictor_create(const NetcCore *core, NetcPredictor **predictor) {
  *predictor = nullptr;
  NetcPredictor *made = new (std::nothrow) NetcPredictor(core->core);
  return made ? given(made, made->predictor.status(), predictor) : NETC_OUT_OF_MEMORY;
}
void netc_predictor_destroy(NetcPredictor *predictor) {
  delete predictor;
}
int netc_predictor_refresh(NetcPredictor *predictor, const NetcCore *core) {
  return code(predictor->predictor.refresh(core->core));
}
int netc_predictor_run(NetcPredictor *predictor, const void *const *inputs, void *const *outputs, size_t count) {
  return code(predictor->predictor.run(inputs, outputs, count));
}
const char *netc_predictor_message(const NetcPredictor *predictor) {
  return predictor->predictor.message();
}

} // extern "C"
