// Prints loop programs as one C++17 file with Highway SIMD, readable, one section a target with a dispatch table.
#pragma once

#include "compiler/codegen/model_tables.h"
#include "compiler/loop/loop.h"

#include <string>
#include <vector>

namespace netc::codegen {

/// All programs have the same interface and differ in target (best first). `headerName` is what the file includes.
/// Requires unrolled kernels (loop::unroll).
std::string highway(std::vector<loop::Program>, const std::string &headerName, const std::string &sourceName,
                    const Reference & = {});

} // namespace netc::codegen
