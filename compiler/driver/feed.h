// Mini-batches made ahead of the one that asks for them, by threads of their own where that is worth it.
#pragma once

#include "compiler/driver/binding.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace netc::driver {

/// The samples of one batch, by their numbers.
struct BatchSamples {
  std::vector<std::uint32_t> numbers;
  std::uint64_t epoch = 0;
};

class Feed {
public:
  /// Gives the samples of one batch after the other; false: there is none left.
  using Order = std::function<bool(BatchSamples &)>;

  /// Batches have at most `most` samples. The data outlives the feed. What a batch holds depends on nothing but its samples
  /// and the epoch: neither on the threads nor on how far they are ahead.
  Feed(const BoundData &, std::size_t most, Order);
  Feed(const Feed &) = delete;
  Feed &operator=(const Feed &) = delete;
  ~Feed(); // waits for the samples in work, not for their batches

  /// The next batch, as entry points take it, until the next call; null: there is none left. Throws UserError if a sample of
  /// this batch cannot be read.
  const void *const *next();
  const std::vector<std::uint32_t> &samples() const { return places[(taken - 1) % places.size()].samples.numbers; } // of that batch
  std::size_t count() const { return samples().size(); }

private:
  struct Place { // of one batch
    BatchSamples samples;
    std::vector<std::vector<unsigned char>> memory; // one a slot
    std::vector<std::pair<std::size_t, std::size_t>> late; // slots and samples that wait for the disk
    std::vector<const void *> pointers;
    bool isFull = false;
    std::exception_ptr failure;
  };

  void work();
  void fill(Place &);

  const BoundData &data;
  Order order;
  std::vector<Place> places; // a ring
  std::mutex mutex;
  std::condition_variable room, filled;
  std::uint64_t begun = 0, taken = 0; // batches
  std::size_t full = 0;               // places
  std::size_t atOnce = 1;             // who has to wait waits for so many places: to be woken takes longer than a small batch
  bool ended = false;                 // the order has: there are `begun` batches
  std::atomic<bool> stopped = false;
  std::atomic<bool> inMemory = false; // the last batch that was filled did not wait for a disk
  std::vector<std::thread> threads;
};

/// All samples in order, once.
Feed::Order inOrder(std::size_t samples, std::size_t most);

} // namespace netc::driver
