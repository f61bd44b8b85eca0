#include "compiler/driver/feed.h"

#include <algorithm>

namespace netc::driver {

Feed::Feed(const BoundData &data, std::size_t most, Order order) : data(data), order(std::move(order)) {
  // Batches beside those in work: at least 2, and of small ones so many that a thread that waits for its processor is no matter.
  constexpr std::size_t bytesAhead = 4 << 20, mostAhead = 32;
  std::size_t bytes = 1;
  for (const ColumnPtr &column : data.slots) bytes += column->sampleBytes * most;
  const std::size_t ahead = std::clamp<std::size_t>(bytesAhead / bytes, 2, mostAhead);
  const std::size_t workers = data.slow() ? std::max(1u, std::thread::hardware_concurrency()) : 0;
  places.resize(workers ? workers + ahead : 1);
  for (Place &place : places) {
    for (const ColumnPtr &column : data.slots) place.memory.emplace_back(column->sampleBytes * most);
    for (const auto &memory : place.memory) place.pointers.push_back(memory.data());
  }
  for (std::size_t i = 0; i < workers; ++i) threads.emplace_back([this] { work(); });
}

Feed::~Feed() {
  stopped = true;
  { std::lock_guard lock(mutex); } // nobody is between its question and its waiting
  changed.notify_all();
  for (std::thread &t : threads) t.join();
}

/// The disk hears of all samples before the first one is waited for.
void Feed::fill(Place &place) {
  for (std::size_t slot = 0; slot < data.slots.size() && places.size() > 1; ++slot)
    for (const std::uint32_t sample : place.samples.numbers) data.willRead(slot, sample);
  for (std::size_t slot = 0; slot < data.slots.size(); ++slot)
    for (std::size_t i = 0; i < place.samples.numbers.size() && !stopped; ++i)
      data.read(slot, place.samples.numbers[i], place.samples.epoch, place.memory[slot].data() + i * data.slots[slot]->sampleBytes);
}

/// Batches are begun in order, each into the next free place.
void Feed::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return stopped || ended || begun + 1 < taken + places.size(); });
    if (stopped || ended) return;
    Place &place = places[begun % places.size()];
    ended = !order(place.samples);
    if (ended) break;
    ++begun;
    lock.unlock();
    try {
      fill(place);
    } catch (...) {
      place.failure = std::current_exception();
    }
    lock.lock();
    place.full = true;
    changed.notify_all();
  }
  changed.notify_all();
}

const void *const *Feed::next() {
  Place &place = places[taken % places.size()];
  if (threads.empty()) {
    if (!order(place.samples)) return nullptr;
    ++taken;
    fill(place);
    return place.pointers.data();
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return place.full || (ended && taken == begun); });
  if (!place.full) return nullptr;
  place.full = false;
  ++taken;
  changed.notify_all();
  if (place.failure) std::rethrow_exception(place.failure);
  return place.pointers.data();
}

Feed::Order inOrder(std::size_t samples, std::size_t most) {
  return [at = std::size_t{0}, samples, most](BatchSamples &batch) mutable {
    batch.numbers.clear();
    for (; at < samples && batch.numbers.size() < most; ++at) batch.numbers.push_back(static_cast<std::uint32_t>(at));
    return !batch.numbers.empty();
  };
}

} // namespace netc::driver
