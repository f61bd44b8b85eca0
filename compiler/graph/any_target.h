// Functions compiled for several instruction sets; which one runs does not show in the bits, since nothing is fused or
// reordered. What they call must be inlined to have a part in it.
#pragma once

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define NETC_ANY_TARGET [[gnu::target_clones("avx512f", "avx2", "default")]]
#else
#define NETC_ANY_TARGET
#endif
