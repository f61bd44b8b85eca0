// Requires: nothing; last, as it changes types. The ordinals of a window, which a gradient keeps from the forward pass, are few:
// in a byte each they take a quarter of the memory, and of the time to write and read it.
#include "compiler/graph/ranges.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

namespace netc::passes {

void narrow(graph::Graph &g) {
  const std::vector<char> pinned = pinnedTensors(g);
  for (const graph::Formula &f : g.formulas)
    if (givesOrdinals(f.op) && !pinned[f.target] && graph::valuesOfOrdinals(f).within(graph::valuesOfU8))
      g.tensors[f.target].dtype = DType::U8;
}

} // namespace netc::passes
