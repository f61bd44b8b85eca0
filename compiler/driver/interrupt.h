// Ctrl-C as a question that long-running loops ask.
#pragma once

namespace netc::driver {

/// From now on the first SIGINT or SIGTERM only makes interrupted() true; a second one ends the process.
void catchInterrupts();
bool interrupted();

} // namespace netc::driver
