// A program's C++ text, compiled by the system's compiler and loaded into this process.
#pragma once

#include "compiler/loop/loop.h"
#include "netc/abi.h"

namespace netc::driver {

/// By $CXX, else c++; it stays loaded until netc ends. Throws UserError where the compiler fails.
const NetcModel &compiledAsCpp(const loop::Program &);

} // namespace netc::driver
