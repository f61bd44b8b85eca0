// Threads that run the parts of one stage after the other with little delay: they spin for some microseconds
// between stages, then sleep. Any thread may run any part, so a thread that gets no processor holds nobody
// up.
#pragma once

#include "netc/model.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <pthread.h>

namespace netc {

class ThreadPool {
 public:
  static constexpr unsigned maxThreads = OwnThreads::most;

  /// `threads` counts the caller of run(). Starts threads-1 of them, or as many as the system gives.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  using Part = void (*)(void *argument, std::size_t index);
  /// Runs part(argument, i) for 0 <= i < parts <= threads and returns when all have. Thread i takes part i if
  /// it is awake in time: its data of the stage before is in its cache. One caller at a time.
  void run(std::size_t parts, Part part, void *argument);

 private:
  struct alignas(64) Claim {
    std::atomic<std::uint32_t> job{0}; // the last job in which this part was taken
  };
  struct Worker {
    ThreadPool *pool;
    unsigned index;
    pthread_t thread;
  };

  static void *workerMain(void *worker);
  void work(unsigned self);
  bool takePart(std::uint32_t job, unsigned index);
  void takeParts(std::uint32_t job, unsigned first);
  std::uint32_t nextJob(std::uint32_t last);
  void waitForAll();
  void pause(bool yield) const;

  const unsigned threads_;
  const bool crowded_; // more threads than processors: spinning would keep others from working
  unsigned workerCount_ = 0;
  Worker workers_[maxThreads];
  Claim claims_[maxThreads];

  // The current job. Every part of every job is taken exactly once (job-1 -> job in its claim), so a thread
  // that comes late, with an old number, takes nothing; part_, argument_ and parts_ change only when no part
  // is left running.
  alignas(64) std::atomic<std::uint32_t> job_{0};
  Part part_ = nullptr;
  void *argument_ = nullptr;
  std::size_t parts_ = 0;
  alignas(64) std::atomic<unsigned> pending_{0}; // parts not finished
  std::atomic<unsigned> sleepers_{0};
  std::atomic<bool> callerSleeps_{false}, stop_{false};
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake_ = PTHREAD_COND_INITIALIZER, done_ = PTHREAD_COND_INITIALIZER;
};

} // namespace netc
