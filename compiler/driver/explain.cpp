#include "compiler/driver/commands.h"
#include "compiler/support/diagnostics.h"
namespace netc::driver {
int explainCommand(const Options &) { throw UserError("explain is being written"); }
} // namespace netc::driver
