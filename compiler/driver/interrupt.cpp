#include "compiler/driver/interrupt.h"

#include <csignal>

namespace netc::driver {
namespace {
volatile std::sig_atomic_t signalled = 0;
}

void catchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { signalled = 1; };
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return signalled != 0; }

} // namespace netc::driver
