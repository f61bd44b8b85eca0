// Trains dropout.net for 40 steps, the last 20 in a model that has loaded the state of the first after 20; prints a
// hash of the weights: dropout THREADS.
#include "masked.h"

#include <netc/random.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

using masked::Model;

namespace {

constexpr std::size_t rows = 40;

void train(Model &model, std::uint64_t from, std::uint64_t to) {
  std::vector<float> image(rows * Model::imageSize);
  std::vector<std::int32_t> label(rows);
  for (std::uint64_t step = from; step < to; ++step) {
    std::size_t count = step % 3 == 0 ? rows : 1 + step % rows;
    netc::fillUniform(image.data(), image.size(), -1, 1, step);
    for (std::size_t i = 0; i < rows; ++i)
      label[i] = static_cast<std::int32_t>((i + step) % 3);
    model.trainStep(image.data(), label.data(), count);
    if (model.status() != netc::Status::ok) std::puts(model.message());
  }
}

std::vector<unsigned char> stateOf(Model &model) {
  std::size_t size = 0;
  model.core().saveState(nullptr, &size);
  std::vector<unsigned char> state(size);
  model.core().saveState(state.data(), &size);
  return state;
}

} // namespace

int main(int, char **argv) {
  netc::Options options;
  options.threads = static_cast<unsigned>(std::atoi(argv[1]));
  options.seed = 5;
  Model first(options);
  train(first, 0, 20);
  options.seed = 6;
  Model second(options);
  std::vector<unsigned char> state = stateOf(first);
  second.core().loadState(state.data(), state.size());
  train(first, 20, 40);
  train(second, 20, 40);
  std::uint64_t hash = 0;
  for (unsigned char byte : stateOf(first))
    hash = netc::threefry(hash, byte);
  std::printf("%s %016llx\n", stateOf(first) == stateOf(second) ? "resumed" : "NOT RESUMED",
              static_cast<unsigned long long>(hash));
}
