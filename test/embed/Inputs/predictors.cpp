// Two predictors, one a thread, beside a model that trains with threads of its own: each prediction is that of one
// state of the weights, never of a mixture.
#include "xor.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

namespace {

const float x[8] = {0, 0, 0, 1, 1, 0, 1, 1}, y[4] = {0, 1, 1, 0};

bool sameTwice(exclusive_or::Predictor &predictor) {
  float first[4], second[4];
  if (predictor.predict(x, first, 4) != netc::Status::ok || predictor.predict(x, second, 4) != netc::Status::ok) return false;
  for (int i = 0; i < 4; ++i)
    if (first[i] != second[i]) return false;
  return true;
}

} // namespace

int main() {
  netc::Options options;
  options.threads = 2;
  exclusive_or::Model model(options);
  std::mutex betweenSteps;
  std::atomic<bool> done{false};
  std::atomic<int> differences{0}, predictions{0};
  const auto watch = [&](exclusive_or::Predictor &predictor) {
    do {
      {
        std::lock_guard<std::mutex> lock(betweenSteps);
        if (predictor.refresh(model) != netc::Status::ok) ++differences;
      }
      for (int i = 0; i < 20; ++i, ++predictions) // while steps are taken
        if (!sameTwice(predictor)) ++differences;
    } while (!done);
  };
  exclusive_or::Predictor one(model), two(model);
  std::thread first(watch, std::ref(one)), second(watch, std::ref(two));
  for (int step = 0; step < 500; ++step) {
    std::lock_guard<std::mutex> lock(betweenSteps);
    model.trainStep(x, y, 4);
  }
  done = true;
  first.join();
  second.join();
  std::printf("%d differences, enough predictions: %d, %s\n", differences.load(), predictions >= 40,
              netc::text(model.status()));
}
