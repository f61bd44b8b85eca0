// The commands, one a file. Each returns the exit status; user errors are thrown (UserError), diagnostics of source
// files are printed to stderr by the pipeline.
#pragma once

#include "compiler/driver/options.h"

namespace netc::driver {

int compileCommand(const Options &);  // text of any stage, C++, objects
int trainCommand(const Options &);    // trains through the JIT
int evaluateCommand(const Options &); // loss, metrics and confusion on the test part of a data source
int predictCommand(const Options &);  // classes or values for files or a data source
int runCommand(const Options &);      // arrays in, any named value or gradient out
int checkCommand(const Options &);    // gradients against differences, the JIT against the evaluator
int explainCommand(const Options &);  // the derivation of the gradients
int formatCommand(const Options &);   // a .net file in its usual layout
int benchCommand(const Options &);    // times of a step and of prediction against the machine's peak
int tuneCommand(const Options &);     // schedules measured through the JIT

} // namespace netc::driver
