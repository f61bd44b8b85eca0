#include "thread_pool.h"

#include <new>
#include <sched.h>
#include <unistd.h>

namespace netc {
namespace {

// A pause takes some 15 to 50 ns, so this is 20 to 70 us: the gap between two stages or two steps, not
// between epochs.
constexpr int spins = 1500;
constexpr int crowdedSpins = 4; // each gives the processor away

/// While it lives.
class Lock {
 public:
  explicit Lock(pthread_mutex_t &mutex) : mutex_(mutex) { pthread_mutex_lock(&mutex_); }
  ~Lock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t &mutex_;
};

void runOn(void *pool, std::size_t parts, ThreadPool::Part part, void *argument) {
  static_cast<ThreadPool *>(pool)->run(parts, part, argument);
}

void end(void *pool) {
  delete static_cast<ThreadPool *>(pool);
}

} // namespace

OwnThreads startThreads(unsigned threads) noexcept {
  return {{new (std::nothrow) ThreadPool(threads), runOn}, end};
}

// POSIX threads, not std::thread and its kin: without exceptions a failing std::thread would end the program, and the names
// that they throw bring 80 KB of strings and random numbers into a program that is linked statically.
ThreadPool::ThreadPool(unsigned threads)
    : threads_(threads < 1            ? 1
               : threads > maxThreads ? maxThreads
                                      : threads),
      crowded_(static_cast<long>(threads_) > sysconf(_SC_NPROCESSORS_ONLN)) {
  for (unsigned i = 1; i < threads_; ++i) {
    Worker &worker = workers_[workerCount_];
    worker.pool = this;
    worker.index = i;
    if (pthread_create(&worker.thread, nullptr, workerMain, &worker) != 0)
      break; // the parts of the missing threads are taken by the others
    ++workerCount_;
  }
}

ThreadPool::~ThreadPool() {
  {
    Lock lock(mutex_);
    stop_ = true;
  }
  pthread_cond_broadcast(&wake_);
  for (unsigned i = 0; i < workerCount_; ++i)
    pthread_join(workers_[i].thread, nullptr);
  pthread_cond_destroy(&done_);
  pthread_cond_destroy(&wake_);
  pthread_mutex_destroy(&mutex_);
}

void ThreadPool::run(std::size_t parts, Part part, void *argument) {
  if (threads_ == 1 || parts <= 1) {
    for (std::size_t i = 0; i < parts; ++i)
      part(argument, i);
    return;
  }
  part_ = part;
  argument_ = argument;
  parts_ = parts;
  pending_.store(threads_);
  std::uint32_t job = job_.load() + 1;
  job_.store(job); // publishes the four above
  if (sleepers_.load() > 0) {
    { Lock lock(mutex_); } // a sleeper is either before its check of job_ or waits
    pthread_cond_broadcast(&wake_);
  }
  takeParts(job, 0);
  waitForAll();
}

bool ThreadPool::takePart(std::uint32_t job, unsigned index) {
  std::uint32_t before = job - 1;
  if (claims_[index].job.load(std::memory_order_relaxed) != before ||
      !claims_[index].job.compare_exchange_strong(before, job))
    return false;
  if (index < parts_) part_(argument_, index);
  if (pending_.fetch_sub(1) == 1 && callerSleeps_.load()) {
    { Lock lock(mutex_); }
    pthread_cond_signal(&done_);
  }
  return true;
}

void ThreadPool::takeParts(std::uint32_t job, unsigned first) {
  for (unsigned i = 0; i < threads_; ++i)
    takePart(job, (first + i) % threads_);
}

void ThreadPool::waitForAll() {
  for (int i = 0; i < (crowded_ ? crowdedSpins : spins); ++i) {
    if (pending_.load(std::memory_order_acquire) == 0) return;
    pause(crowded_);
  }
  Lock lock(mutex_);
  callerSleeps_.store(true);
  while (pending_.load() != 0) pthread_cond_wait(&done_, &mutex_);
  callerSleeps_.store(false);
}

void *ThreadPool::workerMain(void *argument) {
  Worker *worker = static_cast<Worker *>(argument);
  worker->pool->work(worker->index);
  return nullptr;
}

void ThreadPool::work(unsigned self) {
  std::uint32_t job = 0;
  while (!stop_.load()) {
    job = nextJob(job);
    takeParts(job, self);
  }
}

// Waits for a job after `last`, or for the end of the pool.
std::uint32_t ThreadPool::nextJob(std::uint32_t last) {
  for (int i = 0; i < (crowded_ ? crowdedSpins : spins); ++i) {
    std::uint32_t job = job_.load(std::memory_order_acquire);
    if (job != last || stop_.load(std::memory_order_relaxed)) return job;
    pause(crowded_);
  }
  Lock lock(mutex_);
  sleepers_.fetch_add(1);
  while (!stop_.load() && job_.load() == last) pthread_cond_wait(&wake_, &mutex_);
  sleepers_.fetch_sub(1);
  return job_.load();
}

void ThreadPool::pause(bool yield) const {
  if (yield) {
    sched_yield();
    return;
  }
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

} // namespace netc
