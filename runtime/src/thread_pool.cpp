#include "thread_pool.h"

#include <sched.h>
#include <thread>

namespace netc {
namespace {

// A pause takes some 15 to 50 ns, so this is 20 to 70 us: the gap between two stages or two steps, not
// between epochs.
constexpr int spins = 1500;
constexpr int crowdedSpins = 4; // each gives the processor away

} // namespace

// pthread_create, not std::thread: without exceptions a failing std::thread would end the program.
ThreadPool::ThreadPool(unsigned threads)
    : threads_(threads < 1            ? 1
               : threads > maxThreads ? maxThreads
                                      : threads),
      crowded_(threads_ > std::thread::hardware_concurrency()) {
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
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (unsigned i = 0; i < workerCount_; ++i)
    pthread_join(workers_[i].thread, nullptr);
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
    { std::lock_guard<std::mutex> lock(mutex_); } // a sleeper is either before its check of job_ or in wait()
    wake_.notify_all();
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
    { std::lock_guard<std::mutex> lock(mutex_); }
    done_.notify_one();
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
  std::unique_lock<std::mutex> lock(mutex_);
  callerSleeps_.store(true);
  done_.wait(lock, [this] { return pending_.load() == 0; });
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
  std::unique_lock<std::mutex> lock(mutex_);
  sleepers_.fetch_add(1);
  wake_.wait(lock, [&] { return stop_.load() || job_.load() != last; });
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
