// For files whose results must have the same bits on every machine: a compiler may not fuse their multiplies
// and adds, whatever flags the program around uses. To be included first.
#if defined(__FAST_MATH__)
#error "netc's runtime computes exact results and must be compiled without -ffast-math"
#endif
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
