#include "compiler/driver/interrupt.h"

#include <atomic>
#include <csignal>

namespace netc::driver {
namespace {
std::atomic<bool> signalled = false; // any thread may get the signal, and ask
static_assert(std::atomic<bool>::is_always_lock_free);
}

void catchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { signalled = true; };
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return signalled; }

} // namespace netc::driver
