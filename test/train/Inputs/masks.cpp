// Dropout in the calls of one window: other numbers in each, the same ones again after a restart.
#include "masks.h"

#include <cstdio>
#include <string>

int main() {
  float x[4 * masks::Model::xSize];
  for (float &v : x) v = 1;
  masks::Model model, again;
  const float first = model.trainStep(x, 4);
  std::size_t size = 0;
  model.saveState(nullptr, &size);
  std::string state(size, 0);
  model.saveState(&state[0], &size);
  const float second = model.trainStep(x, 4), third = model.trainStep(x, 4);
  bool good = model.core().step() == 0 && first != second && second != third && first != third;
  good = good && again.loadState(state.data(), state.size()) == netc::Status::ok && again.trainStep(x, 4) == second;
  std::puts(good ? "masks differ" : "failed");
  return !good;
}
