// One kernel as the body of a C++ function over netc/simd.h.
#pragma once

#include "compiler/codegen/shared_kernels.h"
#include "compiler/loop/loop.h"

#include <string>

namespace netc::codegen {

struct KernelText {
  std::string parameters; // "const NetcFrame *frame, std::int64_t begin, std::int64_t end", unused ones unnamed
  std::string body;       // the lines between the braces, indented
};

/// Requires an unrolled kernel (loop::unroll).
KernelText printKernel(const loop::Entry &, const loop::Kernel &, const PlacesRead &);

} // namespace netc::codegen
