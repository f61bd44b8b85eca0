#include "xor.h"

#include <cstdio>

int main() {
  const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {0, 1, 1, 0};
  float y[4];
  exclusive_or::Model model;
  for (int step = 0; step < 500; ++step) model.trainStep(x, t, 4);
  model.predict(x, y, 4);
  std::printf("%s at most %zu: %.2f %.2f %.2f %.2f\n", model.target(), exclusive_or::Model::maxBatch, y[0], y[1], y[2], y[3]);
  return 0;
}
