// The algebra of a derivation: collect, cancel, and recognise values that the forward pass has anyway.
#pragma once

#include "compiler/explain/term.h"

#include <span>

namespace netc::explain {

/// Sums and products collected, equal factors cancelled, common factors and what does not depend on the summed indices
/// taken out, a sum over the samples divided by N made a mean. Equal where the term is finite.
TermPtr simplified(const TermPtr &, Indices &);

/// A value of the forward pass: tensor[indices] = value, simplified.
struct KnownValue {
  int tensor;
  std::vector<int> indices;
  TermPtr value;
};

/// Parts of the (simplified) term that are one of the known values read it there; sigmoid(-x) becomes 1 - p where p is
/// sigmoid(x), and the sum of x - m is 0 where m is the mean of x.
TermPtr recognised(const TermPtr &, std::span<const KnownValue>, Indices &);

} // namespace netc::explain
