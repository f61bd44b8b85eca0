/* The plain C interface to any generated model: `lenet5_model` and its like are NetcModel tables
 * (netc/abi.h). Calls return 0 or a code that netc_text() explains; netc_message() has the details of a
 * model's last failure. */
#ifndef NETC_NETC_H
#define NETC_NETC_H

#include "netc/abi.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The values of netc::Status (netc/model.h). */
enum NetcStatus {
  NETC_OK, NETC_BAD_ARGUMENT, NETC_BAD_COUNT, NETC_BAD_LABEL, NETC_NON_FINITE_LOSS, NETC_IO_ERROR,
  NETC_BAD_FILE, NETC_MISMATCH, NETC_OUT_OF_MEMORY, NETC_NO_SUCH_ENTRY, NETC_NO_TARGET, NETC_BAD_MODEL, NETC_WRONG_RESULT
};
const char *netc_text(int status);

/* Runs the parts of one stage: must call part(argument, i) for each 0 <= i < parts, in any order and on any threads, and
 * return when all have returned. */
typedef struct NetcExecutor {
  void *context;
  void (*run)(void *context, size_t parts, void (*part)(void *argument, size_t index), void *argument);
} NetcExecutor;

typedef struct NetcOptions { /* all zero: seed 0, one thread, memory from malloc, the best target */
  uint64_t seed;
  uint32_t threads; /* 0 counts as 1 */
  void *memory;     /* 64-byte aligned, at least netc_memory_bytes(); or null */
  size_t memorySize;
  const char *target;
  NetcExecutor executor; /* if set, runs the parts (`threads` of them a stage) in place of threads of our own */
} NetcOptions;

typedef struct NetcCore NetcCore;

/* `options` may be null. On failure *core is null. */
int netc_create(const NetcModel *model, const NetcOptions *options, NetcCore **core);
void netc_destroy(NetcCore *core);

/* `inputs` and `outputs` by slot, as netc::Core::run. `loss` may be null; it is NaN when the step was not
 * taken. */
int netc_train_step(NetcCore *core, const void *const *inputs, size_t count, float *loss);
/* By the name of a training plan; "" is the plan without a name, null the model's first. */
int netc_train_plan(NetcCore *core, const char *plan, const void *const *inputs, size_t count, float *loss);
/* Of a training plan with `every`: the update of a window of samples that is not full. netc_end_epoch also counts
 * the epoch. Without a window in progress no update is made. */
int netc_end_window(NetcCore *core);
int netc_end_epoch(NetcCore *core);
int netc_run(NetcCore *core, const char *entry, const void *const *inputs, void *const *outputs,
             size_t count);
float netc_last_result(const NetcCore *core, size_t slot);

int netc_save(const NetcCore *core, const char *path);
int netc_load(NetcCore *core, const char *path);
int netc_save_state(const NetcCore *core, const char *path);
int netc_load_state(NetcCore *core, const char *path);
/* The same in memory: `size` holds the bytes at `buffer` and becomes those needed; a null buffer only asks. */
int netc_save_bytes(const NetcCore *core, void *buffer, size_t *size);
int netc_load_bytes(NetcCore *core, const void *buffer, size_t size);
int netc_save_state_bytes(const NetcCore *core, void *buffer, size_t *size);
int netc_load_state_bytes(NetcCore *core, const void *buffer, size_t size);

int netc_set_learning_rate(NetcCore *core, float rate); /* a rate that is negative or not finite is refused */
void netc_use_schedule(NetcCore *core);
void netc_set_step(NetcCore *core, uint64_t step);
void netc_set_epoch(NetcCore *core, uint64_t epoch); /* another one ends the window, too */
void netc_set_steps(NetcCore *core, uint64_t steps);
uint64_t netc_step(const NetcCore *core);    /* updates of the parameters */
uint64_t netc_samples(const NetcCore *core); /* in the window since the last update */
uint64_t netc_epoch(const NetcCore *core);
uint64_t netc_seed(const NetcCore *core); /* of the options, or of the state that was loaded */

size_t netc_parameter_count(const NetcCore *core);
const char *netc_parameter_name(NetcCore *core, size_t i); /* null if there is no parameter i */
size_t netc_parameter_size(NetcCore *core, size_t i);      /* elements; 0 if there is none */
const int64_t *netc_parameter_shape(NetcCore *core, size_t i, size_t *rank); /* `rank` extents; null if there is none */
size_t netc_parameter_index(NetcCore *core, const char *name); /* netc_parameter_count() if there is none */
/* All elements in logical order. */
int netc_parameter_get(NetcCore *core, size_t i, float *values);
int netc_parameter_set(NetcCore *core, size_t i, const float *values);

const char *netc_target(const NetcCore *core);
const char *netc_message(const NetcCore *core);
size_t netc_memory_bytes(const NetcCore *core);

/* Predictions with weights and scratch of their own, on the calling thread: one a thread beside a model that trains. It
 * needs the model's tables, not the model itself, which may be destroyed. On failure *predictor is null. */
typedef struct NetcPredictor NetcPredictor;
int netc_predictor_create(const NetcCore *core, NetcPredictor **predictor);
void netc_predictor_destroy(NetcPredictor *predictor);
/* Copies the weights again; not while the model is in a step. */
int netc_predictor_refresh(NetcPredictor *predictor, const NetcCore *core);
/* As netc_run(core, "predict", ...). */
int netc_predictor_run(NetcPredictor *predictor, const void *const *inputs, void *const *outputs, size_t count);
const char *netc_predictor_message(const NetcPredictor *predictor);

#ifdef __cplusplus
}
#endif
#endif
