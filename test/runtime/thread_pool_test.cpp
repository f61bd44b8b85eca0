#include "check.h"

#include "src/thread_pool.h"

#include <chrono>
#include <thread>
#include <vector>

namespace test {
namespace {

struct Job {
  std::vector<int> runs; // one a part; no two parts share an element
  int spin = 0;
};

void countRun(void *argument, std::size_t index) {
  Job &job = *static_cast<Job *>(argument);
  volatile int work = 0;
  for (int i = 0; i < job.spin; ++i)
    work = work + 1;
  job.runs[index]++;
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Every part of every stage runs exactly once, whatever the number of parts, and its writes are seen
// afterwards.
void manyTinyStages(unsigned threads) {
  netc::ThreadPool pool(threads);
  constexpr int stages = 20000;
  Job job;
  job.runs.assign(threads, 0);
  std::vector<int> expected(threads, 0);
  double start = seconds();
  for (int s = 0; s < stages; ++s) {
    std::size_t parts = 1 + static_cast<std::size_t>(s) % threads;
    pool.run(parts, countRun, &job);
    for (std::size_t p = 0; p < parts; ++p)
      expected[p]++;
    if (job.runs != expected) {
      HOLDS(job.runs == expected);
      return;
    }
  }
  HOLDS(job.runs == expected);
  HOLDS((seconds() - start) / stages <
        2e-3); // a stage must not wait for the scheduler, also with too many threads
}

// Threads that went to sleep come back.
void pauses() {
  netc::ThreadPool pool(3);
  Job job;
  job.runs.assign(3, 0);
  job.spin = 20000;
  for (int s = 0; s < 20; ++s) {
    pool.run(3, countRun, &job);
    std::this_thread::sleep_for(std::chrono::milliseconds(s % 4));
  }
  HOLDS(job.runs == std::vector<int>(3, 20));
}

// Several pools at once ask for more threads than there are processors.
void oversubscription() {
  constexpr int pools = 4, stages = 2000;
  std::vector<Job> jobs(pools);
  std::vector<std::thread> callers;
  double start = seconds();
  for (Job &job : jobs) {
    job.runs.assign(4, 0);
    callers.emplace_back([&job] {
      netc::ThreadPool pool(4);
      for (int s = 0; s < stages; ++s)
        pool.run(4, countRun, &job);
    });
  }
  for (std::thread &caller : callers)
    caller.join();
  for (Job &job : jobs)
    HOLDS(job.runs == std::vector<int>(4, stages));
  HOLDS(seconds() - start < 20);
}

} // namespace

void threadPoolTest() {
  for (unsigned threads = 1; threads <= 4; ++threads)
    manyTinyStages(threads);
  pauses();
  oversubscription();
  for (int i = 0; i < 50; ++i)
    netc::ThreadPool unused(4); // stops cleanly at any moment
}

} // namespace test
