// Generated C++ that needs no runtime beside it.
#pragma once

#include <string>

namespace netc::codegen {

/// Puts what the generated file and its header include of the runtime into them, and the runtime's sources at the end of
/// the file: together they need a C++17 compiler and Highway's headers. In a program with several such files the
/// runtime is compiled in one of them; the others get NETC_RUNTIME_ELSEWHERE defined. `selfTest`: with its part of the runtime.
void makeStandalone(std::string &source, std::string &header, bool selfTest);

} // namespace netc::codegen
