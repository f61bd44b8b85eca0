#include "compiler/driver/commands.h"
#include "compiler/support/diagnostics.h"
namespace netc::driver {
int checkCommand(const Options &) { throw UserError("not built yet"); }
} // namespace netc::driver
