#include "compiler/driver/commands.h"
#include "compiler/support/diagnostics.h"
namespace netc::driver {
int trainCommand(const Options &) { throw UserError("not built yet"); }
int evaluateCommand(const Options &) { throw UserError("not built yet"); }
int checkCommand(const Options &) { throw UserError("not built yet"); }
int benchCommand(const Options &) { throw UserError("not built yet"); }
} // namespace netc::driver
