// The nominal work of an entry, for figures that can be compared with other frameworks'.
#pragma once

#include "compiler/graph/graph.h"

namespace netc::driver {

/// Two floating-point operations for each point of each contraction at full batch, padding included; everything else counts
/// as zero. A contraction is a sum of products of two tensors that both lack one of its indices. Meant for a graph as
/// differentiated, before passes rewrite its domains: forward, input gradient and weight gradient count alike.
double nominalFlops(const graph::Graph &);

} // namespace netc::driver
