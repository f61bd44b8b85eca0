#include "compiler/support/in_parallel.h"

#include <future>
#include <vector>

namespace netc {

void inParallel(std::size_t count, const std::function<void(std::size_t)> &task) {
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < count; ++i) others.push_back(std::async(std::launch::async, task, i));
  std::future<void> first = std::async(std::launch::deferred, task, 0);
  first.wait();
  for (std::future<void> &f : others) f.wait();
  first.get();
  for (std::future<void> &f : others) f.get();
}

} // namespace netc
