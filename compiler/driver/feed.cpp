#include "compiler/driver/feed.h"

#include "compiler/driver/mapped_rows.h"

#include <algorithm>

namespace netc::driver {

Feed::Feed(const BoundData &data, std::size_t most, Order order) : data(data), order(std::move(order)) {
  // Batches beside those in work: at least 2, and of small ones so many that a thread that waits for its processor is no matter.
  constexpr std::size_t bytesAhead = 4 << 20, mostAhead = 32;
  std::size_t bytes = 1;
  for (const ColumnPtr &column : data.slots) bytes += column->sampleBytes * most;
  const std::size_t ahead = std::clamp<std::size_t>(bytesAhead / bytes, 2, mostAhead);
  const std::size_t workers = data.slow() ? std::max(1u, std::thread::hardware_concurrency()) : 0;
  atOnce = ahead / 2;
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
  room.notify_all();
  for (std::thread &t : threads) t.join();
}

/// The disk hears of all samples that it must fetch before the first one is waited for; but nobody asks for it while the system
/// has all of them in memory.
void Feed::fill(Place &place) {
  const BatchSamples &samples = place.samples;
  const auto at = [&](std::size_t slot, std::size_t i) { return place.memory[slot].data() + i * data.slots[slot]->sampleBytes; };
  const long waits = diskWaits();
  place.late.clear();
  for (std::size_t slot = 0; slot < data.slots.size(); ++slot) {
    if (inMemory && data.readMapped(slot, samples.numbers, at(slot, 0))) continue;
    for (std::size_t i = 0; i < samples.numbers.size() && !stopped; ++i)
      if (!data.readAtOnce(slot, samples.numbers[i], samples.epoch, at(slot, i))) place.late.emplace_back(slot, i);
  }
  for (const auto &[slot, i] : place.late)
    if (!stopped) data.read(slot, samples.numbers[i], samples.epoch, at(slot, i));
  inMemory = place.late.empty() && diskWaits() == waits;
}

/// Batches are begun in order, each into the next free place.
void Feed::work() {
  std::unique_lock lock(mutex);
  const auto hasRoom = [this](std::size_t batches) { return stopped || ended || begun + batches < taken + places.size(); };
  for (;;) {
    if (!hasRoom(1)) room.wait(lock, [&] { return hasRoom(atOnce); });
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
    place.isFull = true;
    ++full;
    if (full >= atOnce || ended) filled.notify_one();
  }
  room.notify_all();
  filled.notify_one();
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
  if (!place.isFull) filled.wait(lock, [&] { return ended ? place.isFull || taken == begun : place.isFull && full >= atOnce; });
  if (!place.isFull) return nullptr;
  place.isFull = false;
  --full;
  ++taken;
  if (begun + atOnce < taken + places.size()) room.notify_all();
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
