// What this machine's cores can do at best: independent fused multiply-adds on full vectors, nothing else.
#pragma once

namespace netc::driver {

/// One sample of some 50 microseconds on each of `threads` threads at once; GFLOP/s of all together. Takes the widest
/// vectors that the processor has. The peak is the largest of many samples.
double samplePeak(int threads);

} // namespace netc::driver
