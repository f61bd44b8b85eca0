// Runs one call of a model's entry: reads it from the standard input, writes it with its results to the standard output.
// Compiled for another architecture, together with the model, whose symbol is NETC_MODEL.
#include "entry_call.h"

extern "C" const NetcModel NETC_MODEL;

int main() {
  netc::EntryCall call;
  if (!netc::read(stdin, call)) return 1;
  const NetcTarget &target = NETC_MODEL.targets[0];
  for (std::int64_t i = 0; i < target.entryCount; ++i) {
    if (target.entries[i].name != call.entry) continue;
    netc::run(target.entries[i], call);
    netc::write(stdout, call);
    return 0;
  }
  return 1;
}
