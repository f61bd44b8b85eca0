// Windows of samples through the generated interface: what ends them, what a state holds, what a bad call leaves.
#include "windows.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

using windows::Model;

namespace {

float x[Model::maxBatch * Model::xSize], t[Model::maxBatch * Model::tSize];

void fill(unsigned seed) {
  unsigned state = seed * 2654435761u + 1;
  auto next = [&] {
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) / 8388608.0f - 1;
  };
  for (float &v : x) v = next();
  for (float &v : t) v = next();
}

std::string stateOf(const Model &model) {
  std::size_t size = 0;
  model.saveState(nullptr, &size);
  std::string bytes(size, 0);
  model.saveState(&bytes[0], &size);
  return bytes;
}

std::vector<float> weights(Model &model) {
  std::vector<float> all;
  for (std::size_t i = 0; i < model.parameterCount(); ++i) {
    std::vector<float> one(model.parameter(i).size());
    model.parameter(i).get(one.data());
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

int failures = 0;
void holds(bool condition, const char *text) {
  if (condition) return;
  std::printf("FAILED: %s\n", text);
  ++failures;
}
#define HOLDS(condition) holds(condition, #condition)

void steps(Model &model, unsigned from, unsigned to) {
  for (unsigned k = from; k < to; ++k) {
    fill(k);
    model.trainStep(x, t, k % 3 == 2 ? 7 : 16);
  }
}

} // namespace

int main() {
  Model model;
  netc::Core &core = model.core();
  const std::vector<float> start = weights(model);
  fill(1);
  const float first = model.trainStep(x, t, 16); // the window holds 40 samples
  HOLDS(std::isfinite(first) && model.status() == netc::Status::ok);
  HOLDS(core.step() == 0 && core.samples() == 16 && weights(model) == start);
  HOLDS(model.trainStep(x, t, 16) == first); // nothing was updated yet
  HOLDS(core.lastResult(0) + core.lastResult(1) == first);

  // A call that is refused changes nothing, the window included.
  const std::string before = stateOf(model);
  x[3] = std::numeric_limits<float>::infinity();
  HOLDS(std::isnan(model.trainStep(x, t, 16)) && model.status() == netc::Status::nonFiniteLoss);
  HOLDS(std::isnan(model.trainStep(x, t, 17)) && model.status() == netc::Status::badCount);
  HOLDS(stateOf(model) == before && core.samples() == 32);

  // The call that fills the window makes the update, of all 48 samples.
  fill(1);
  HOLDS(model.trainStep(x, t, 16) == first);
  HOLDS(core.step() == 1 && core.samples() == 0 && weights(model) != start);
  HOLDS(core.lastResult(0) + core.lastResult(1) == first);
  const std::string updated = stateOf(model);
  HOLDS(model.endWindow() == netc::Status::ok && stateOf(model) == updated); // there is no window to end

  // An early end: by endWindow, endEpoch or another epoch.
  model.trainStep(x, t, 16);
  HOLDS(model.endWindow() == netc::Status::ok && core.step() == 2 && core.samples() == 0 && core.epoch() == 0);
  model.trainStep(x, t, 16);
  HOLDS(model.endEpoch() == netc::Status::ok && core.step() == 3 && core.epoch() == 1);
  model.trainStep(x, t, 16);
  model.setEpoch(1);
  HOLDS(core.step() == 3 && core.samples() == 16);
  model.setEpoch(5);
  HOLDS(core.step() == 4 && core.samples() == 0 && core.epoch() == 5);
  model.trainStep(x, t, 16);
  HOLDS(core.run("small.apply", nullptr, nullptr, 0) == netc::Status::ok && core.step() == 5);

  // The same samples in three calls and in one weigh the same: 7 + 16 + 16 against 16 + 16 + 7.
  Model one, other;
  for (unsigned k : {1u, 2u, 3u}) fill(k), one.trainStep(x, t, k == 3 ? 7 : 16);
  for (unsigned k : {3u, 1u, 2u}) fill(k), other.trainStep(x, t, k == 3 ? 7 : 16);
  one.endWindow();
  other.endWindow();
  const std::vector<float> a = weights(one), b = weights(other);
  for (std::size_t i = 0; i < a.size(); ++i) HOLDS(std::fabs(a[i] - b[i]) <= 1e-6f);

  // The rate of every part is replaced.
  Model still;
  still.setLearningRate(0);
  steps(still, 0, 6);
  HOLDS(still.core().step() == 1 && weights(still) == start);

  // A state in the middle of a window: training goes on to the same bytes.
  Model whole, half, rest;
  steps(whole, 0, 20);
  steps(half, 0, 10);
  HOLDS(half.core().samples() > 0);
  const std::string middle = stateOf(half);
  HOLDS(rest.loadState(middle.data(), middle.size()) == netc::Status::ok);
  HOLDS(rest.core().samples() == half.core().samples());
  steps(rest, 10, 20);
  HOLDS(stateOf(rest) == stateOf(whole) && whole.core().step() > 3);

  // C, and the bytes that every back end must give.
  NetcCore *c = nullptr;
  HOLDS(netc_create(&windows_model, nullptr, &c) == NETC_OK);
  fill(1);
  const void *inputs[] = {x, t};
  float loss = 0;
  HOLDS(netc_train_step(c, inputs, 16, &loss) == NETC_OK && loss == first && netc_step(c) == 0);
  HOLDS(netc_end_window(c) == NETC_OK && netc_step(c) == 1);
  HOLDS(netc_train_step(c, inputs, 16, &loss) == NETC_OK && netc_end_epoch(c) == NETC_OK && netc_step(c) == 2);
  netc_destroy(c);
  unsigned long long hash = 0xcbf29ce484222325u;
  for (const char byte : stateOf(whole)) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  std::printf("%s, state %016llx\n", failures ? "failed" : "windows work", hash);
  return failures != 0;
}
