// What generated C++ calls types and operations: the names of netc/simd.h.
#pragma once

#include "compiler/loop/loop.h"

#include <string>

namespace netc::codegen {

std::string cType(DType);      // an element in memory: "float"
const char *simdType(DType);   // a register: "F", "I" or "B"
const char *functionName(Fn);  // of a primitive; shifts take their count as a template argument
const char *functionName(loop::Reduce::Op);

} // namespace netc::codegen
