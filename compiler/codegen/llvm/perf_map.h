// Names for a profiler of what was compiled in memory.
#pragma once

struct NetcModel;

namespace netc::codegen {

/// If NETC_PERF_MAP is set, /tmp/perf-PID.map, from which Linux `perf report` takes the names of the model's kernels.
void writePerfMap(const NetcModel &);

} // namespace netc::codegen
