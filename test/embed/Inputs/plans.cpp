// Plans side by side: each step is the full one with the other parameters masked, to the bit. Prints the weights' bytes
// after a course of mixed steps, as a number.
#include "two.h"

#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

using two::Model;

namespace {

float x[Model::maxBatch * Model::xSize];
std::int32_t label[Model::maxBatch];
constexpr std::size_t count = 5;

void draw(unsigned seed) {
  unsigned state = seed * 2654435761u + 1;
  const auto next = [&] { return (state = state * 1664525u + 1013904223u) >> 8; };
  for (float &v : x) v = static_cast<float>(next()) / 8388608.0f - 1;
  for (std::int32_t &v : label) v = static_cast<std::int32_t>(next() % 5);
}

/// Parameters and optimizer's states by name.
std::map<std::string, std::vector<float>> store(Model &model) {
  std::map<std::string, std::vector<float>> all;
  const auto add = [&](netc::Tensor t) { t.get((all[t.name()] = std::vector<float>(t.size())).data()); };
  for (std::size_t i = 0; i < model.core().parameterCount(); ++i) add(model.core().parameter(i));
  for (std::size_t i = 0; i < model.core().stateCount(); ++i) add(model.core().state(i));
  return all;
}

int failures = 0;
void holds(bool condition, const char *text) {
  if (condition) return;
  std::printf("FAILED: %s\n", text);
  ++failures;
}
#define HOLDS(condition) holds(condition, #condition)

std::vector<char> stateOf(const Model &model) {
  std::size_t size = 0;
  model.saveState(nullptr, &size);
  std::vector<char> bytes(size);
  model.saveState(bytes.data(), &size);
  return bytes;
}

void headIsTheFullStepMasked(Model &model) {
  Model full;
  const std::vector<char> state = stateOf(model);
  HOLDS(full.loadState(state.data(), state.size()) == netc::Status::ok);
  const auto before = store(model);
  const float loss = model.headStep(x, label, count);
  HOLDS(full.trainStep(x, label, count) == loss);
  const auto after = store(model), other = store(full);
  std::size_t changed = 0;
  for (const auto &[name, values] : after) {
    const bool trained = name.rfind("head.", 0) == 0;
    HOLDS(values == (trained ? other : before).at(name));
    changed += values != before.at(name);
  }
  HOLDS(changed == 4); // weight, bias and their momentum
}

/// A window belongs to its plan, also in a saved state.
void windowsAreOfOnePlan(Model &model) {
  model.windowsStep(x, label, count);
  HOLDS(model.core().samples() == count);
  const std::vector<char> before = stateOf(model);
  model.headStep(x, label, count);
  HOLDS(model.status() == netc::Status::badArgument);
  std::puts(model.message());
  HOLDS(stateOf(model) == before);
  Model other;
  HOLDS(other.loadState(before.data(), before.size()) == netc::Status::ok && other.core().samples() == count);
  other.windowsStep(x, label, count);
  model.windowsStep(x, label, count);
  HOLDS(model.core().samples() == 0 && stateOf(other) == stateOf(model));
  model.windowsStep(x, label, count);
  HOLDS(model.endWindow() == netc::Status::ok && model.core().samples() == 0);
}

} // namespace

int main() {
  Model model;
  for (unsigned k = 0; k < 12; ++k) {
    draw(k);
    if (k % 3 == 0) model.trainStep(x, label, count);
    headIsTheFullStepMasked(model);
  }
  windowsAreOfOnePlan(model);
  HOLDS(model.core().trainStep("tail", nullptr, count) != 0 && model.status() == netc::Status::noSuchEntry);
  std::puts(model.message());
  unsigned hash = 0;
  for (const char c : stateOf(model)) hash = hash * 31 + static_cast<unsigned char>(c);
  std::printf("%d failures, state %08x\n", failures, hash);
  return failures != 0;
}
