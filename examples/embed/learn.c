/* A C program that learns, with the functions of the generated header and of netc/netc.h: from a stream of made-up numbers,
 * four in and one out, a batch at a time. Every call says by its result whether it succeeded. learn.py does the same from Python. */
#include "online.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 16, STEPS = 600, SHOWN = 100 };

/* x between -1 and 1, and t = x0 x1 - x2. */
static void draw(float *x, float *t) {
  static uint32_t state = 1;
  for (int n = 0; n < BATCH; ++n) {
    for (int k = 0; k < online_x_size; ++k) {
      state = state * 1664525u + 1013904223u;
      x[n * online_x_size + k] = (float)(state >> 8) / 8388608.0f - 1;
    }
    t[n] = x[n * online_x_size] * x[n * online_x_size + 1] - x[n * online_x_size + 2];
  }
}

static int failed(int status, const NetcCore *model) {
  if (status) fprintf(stderr, "learn: %s: %s\n", netc_text(status), model ? netc_message(model) : "no model");
  return status;
}

/* The state in memory, and back from there into another model. */
static int copyState(const NetcCore *from, NetcCore *to) {
  size_t size = 0;
  if (failed(netc_save_state_bytes(from, NULL, &size), from)) return 1; /* only asks */
  void *bytes = malloc(size);
  int status = bytes ? netc_save_state_bytes(from, bytes, &size) : NETC_OUT_OF_MEMORY;
  if (!status) status = netc_load_state_bytes(to, bytes, size);
  free(bytes);
  return failed(status, to);
}

int main(void) {
  NetcCore *model = NULL, *copy = NULL;
  float x[BATCH * online_x_size], t[BATCH], y[BATCH], again[BATCH], loss = 0, sum = 0;
  if (failed(online_create(NULL, &model), model) || failed(online_create(NULL, &copy), copy)) return 1;
  for (int step = 0; step < STEPS; ++step) {
    draw(x, t);
    if (step == STEPS / 2) netc_set_learning_rate(model, 0.003f);
    if (failed(online_train_step(model, x, t, BATCH, &loss), model)) return 1;
    sum += loss;
    if ((step + 1) % SHOWN == 0) printf("step %d: loss %.6f\n", step + 1, sum / SHOWN), sum = 0;
  }

  x[0] = NAN; /* is refused, and nothing has changed */
  if (online_train_step(model, x, t, BATCH, NULL) != NETC_NON_FINITE_LOSS) return 1;
  printf("%s; step %d\n", netc_message(model), (int)netc_step(model));

  draw(x, t);
  if (copyState(model, copy) || online_predict(model, x, BATCH, y) || online_predict(copy, x, BATCH, again)) return 1;
  for (int n = 0; n < BATCH; ++n)
    if (y[n] != again[n]) return 1;
  size_t weight = netc_parameter_index(model, "dense1.weight");
  float first[64];
  if (netc_parameter_size(model, weight) > 64 || netc_parameter_get(model, weight, first)) return 1;
  printf("expected %.6f, predicted %.6f; dense1.weight[0] = %.6f\n", t[0], y[0], first[0]);
  netc_destroy(copy);
  netc_destroy(model);
  return 0;
}
