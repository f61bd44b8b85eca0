#include "toy.h"

#include <stdio.h>

int main(void) {
  NetcCore *model;
  const float x[toy_x_size] = {1, 2};
  const int32_t yes = 1, bad = 2;
  float loss = 0, accuracy = 0, prediction = 0;
  if (toy_create(NULL, &model) != NETC_OK) return 1;
  if (toy_train_step(model, x, &yes, 1, &loss) != NETC_OK) return 1;
  printf("loss %g\n", loss);
  if (toy_predict(model, x, 1, &prediction) != NETC_OK) return 1;
  printf("prediction %g\n", prediction);
  if (toy_evaluate(model, x, &yes, 1, &loss, &accuracy) != NETC_OK) return 1;
  printf("evaluation %g %g\n", loss, accuracy);
  if (toy_train_step(model, x, &bad, 1, &loss) != NETC_BAD_LABEL || loss == loss) return 1;
  printf("%s\n", netc_message(model));
  if (toy_predict(model, x, 1, &prediction) != NETC_OK) return 1;
  printf("prediction %g\n", prediction);
  toy_destroy(model);
  return 0;
}
