#include "compiler/support/in_parallel.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

namespace netc {
namespace {

constexpr std::size_t pieceSize = 1 << 18;

std::size_t pieceCount(std::size_t count) { return (count + pieceSize - 1) / pieceSize; }

} // namespace

void inParallel(std::size_t count, const std::function<void(std::size_t)> &task) {
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < count; ++i) others.push_back(std::async(std::launch::async, task, i));
  std::future<void> first = std::async(std::launch::deferred, task, 0);
  first.wait();
  for (std::future<void> &f : others) f.wait();
  first.get();
  for (std::future<void> &f : others) f.get();
}

void onAllProcessors(std::size_t count, const std::function<void(std::size_t)> &task, std::size_t atLeast) {
  const std::size_t threads = std::min<std::size_t>((count + atLeast - 1) / atLeast, std::max(1u, std::thread::hardware_concurrency()));
  std::atomic<std::size_t> next = 0;
  inParallel(threads, [&](std::size_t) {
    for (std::size_t i = next++; i < count; i = next++) task(i);
  });
}

void inPieces(std::size_t count, const std::function<void(std::size_t, std::size_t)> &task) {
  onAllProcessors(pieceCount(count), [&](std::size_t k) { task(k * pieceSize, std::min(count, (k + 1) * pieceSize)); });
}

std::vector<double> ofPieces(std::size_t count, const std::function<double(std::size_t, std::size_t)> &of) {
  std::vector<double> values(pieceCount(count));
  inPieces(count, [&](std::size_t begin, std::size_t end) { values[begin / pieceSize] = of(begin, end); });
  return values;
}

} // namespace netc
