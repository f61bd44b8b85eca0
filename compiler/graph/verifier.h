// Checks every invariant of the graph IR. Reports all violations, naming what was found and what was expected; of a
// formula the first one, and of a tensor that a report has spoken about nothing more: the next one would likely be the
// same mistake seen from elsewhere.
//
//  1. Tensor names are unique; shared tensors stand first and are equal in all entries.
//  2. Each Local is the target of exactly one formula; no other kind is a target.
//  3. A formula reads only shared tensors, Gradient placeholders and Locals defined before it.
//  4. Ranks of out maps and read maps match; node arguments precede their node; types agree with the table.
//  5. Index names are unique in a clause; extents are positive; affine variables exist.
//  6. Every read is in range at every point that exists (guards considered).
//  7. Every write is in range.
//  8. Assign clauses are injective; clauses of one formula are disjoint.
//  9. Every element is written, or there is an `otherwise` (sum and prod need none); a max, min, argmax window
//     that can be empty is an error.
// 10. Batch extents stand only where tensors are batch; a batch index is never in a sum of a map with others.
// 11. argmax/argmin have one clause and an I32 target, or a U8 one that holds all ordinals; Combine and body types agree.
// 12. Results, next entries and gradients refer to tensors of the right kind and equal shape.
// 13. Only an entry named accumulate says `every`, of at least one sample; then there is an entry apply, which reads no
//     input and no target.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

namespace netc::graph {

/// Adds an error for each violation; returns true when there is none.
bool verify(const Module &, Diagnostics &);
bool verify(const Graph &, Diagnostics &);

} // namespace netc::graph
