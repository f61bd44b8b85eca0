#include "two.h"

#include <stdio.h>

int main(void) {
  NetcCore *model;
  float x[3 * two_x_size] = {1, -1}, loss = 0, before, after;
  int32_t label[3] = {0, 1, 2};
  if (two_create(NULL, &model)) return 1;
  if (two_head_step(model, x, label, 3, &before) || two_head_step(model, x, label, 3, &after)) return 2;
  if (two_train_step(model, x, label, 3, &loss) || two_windows_step(model, x, label, 3, &loss)) return 3;
  printf("%s %d\n", loss < after && after < before ? "less and less" : "no", (int)netc_step(model));
  two_destroy(model);
  return 0;
}
