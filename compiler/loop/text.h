// The text form of the loop IR (grammar in loop.h). print(parse(print(p))) == print(p).
#pragma once

#include "compiler/loop/loop.h"
#include "compiler/support/diagnostics.h"

namespace netc::loop {

std::string print(const Program &);
std::string print(const Entry &, const Kernel &);
/// Errors go to diagnostics; the result is not verified.
Program parse(const std::string &text, const std::string &fileName, Diagnostics &);

} // namespace netc::loop
