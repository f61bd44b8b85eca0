// Counts what is asked of the heap while a model trains, evaluates and predicts.
#include "lenet5.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

extern "C" void *__libc_malloc(std::size_t);
extern "C" void *__libc_calloc(std::size_t, std::size_t);
extern "C" void *__libc_realloc(void *, std::size_t);
extern "C" void *__libc_memalign(std::size_t, std::size_t);

static volatile bool counting = false;
static volatile int counted = 0;

static void count() {
  if (counting) counted = counted + 1;
}

extern "C" void *malloc(std::size_t size) {
  count();
  return __libc_malloc(size);
}
extern "C" void *calloc(std::size_t count_, std::size_t size) {
  count();
  return __libc_calloc(count_, size);
}
extern "C" void *realloc(void *p, std::size_t size) {
  count();
  return __libc_realloc(p, size);
}
extern "C" void *aligned_alloc(std::size_t alignment, std::size_t size) {
  count();
  return __libc_memalign(alignment, size);
}

int main() {
  std::vector<std::uint8_t> images(64 * lenet5::Model::imageSize, 100);
  std::vector<std::int32_t> labels(64, 3);
  std::vector<float> probabilities(64 * lenet5::Model::probabilitySize);
  for (unsigned threads : {1u, 2u}) {
    netc::Options options;
    options.threads = threads;
    lenet5::Model model(options);
    lenet5::Predictor predictor(model);
    counting = true;
    for (std::size_t samples : {64, 17, 1}) {
      model.trainStep(images.data(), labels.data(), samples);
      model.evaluate(images.data(), labels.data(), samples);
      model.predict(images.data(), probabilities.data(), samples);
      predictor.refresh(model);
      predictor.predict(images.data(), probabilities.data(), samples);
    }
    labels[0] = 10; // failures ask for nothing either
    model.trainStep(images.data(), labels.data(), 1);
    labels[0] = 3;
    counting = false;
    std::printf("%u threads: %d allocations, %s\n", threads, counted, netc::text(model.status()));
  }
  counting = true;
  std::free(std::malloc(1)); // the trap works
  counting = false;
  std::printf("then %d\n", counted);
}
