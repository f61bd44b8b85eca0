// A trainer, whole: steps, and its state written and read. With MEMORY it prints the memory that the process had at most, in bytes.
#include "lenet5.h"

#ifdef MEMORY
#include <cstdio>
#include <cstdlib>
#include <cstring>

static void printMostMemory() {
  char line[256];
  std::FILE *status = std::fopen("/proc/self/status", "r");
  while (status && std::fgets(line, sizeof line, status))
    if (std::strncmp(line, "VmHWM:", 6) == 0) std::printf("%ld\n", std::atol(line + 6) * 1024);
  if (status) std::fclose(status);
}
#else
static void printMostMemory() {}
#endif

static std::uint8_t images[64 * 784];
static std::int32_t labels[64];

int main() {
  for (std::size_t i = 0; i < sizeof images; ++i) images[i] = static_cast<std::uint8_t>(i * 7 % 251);
  for (std::size_t i = 0; i < 64; ++i) labels[i] = static_cast<std::int32_t>(i % 10);
  lenet5::Model model;
  float first = 0, last = 0;
  for (int step = 0; step < 100; ++step) (step ? last : first) = model.trainStep(images, labels, 64);
  if (model.status() != netc::Status::ok || !(last < first)) return 1;
  if (model.saveState("state.bin") != netc::Status::ok || model.loadState("state.bin") != netc::Status::ok) return 1;
  printMostMemory();
  return 0;
}
