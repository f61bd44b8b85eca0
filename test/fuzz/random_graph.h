// Random graphs: formulas with strided and offset maps, windows, guards, several clauses, every combine and the functions
// of the table, over shared tensors of odd extents. Everything depends on the seed alone.
#pragma once

#include "compiler/graph/graph.h"
#include "test/fuzz/random.h"

namespace netc::fuzz {

struct Size {
  int entries = 40, formulas = 5;
  std::int64_t batch = 37;
};

/// One module; each entry has `formulas` random formulas, all of them outputs, a loss that sums every real one, and gradient
/// placeholders for real shared tensors that it reads. Verified.
graph::Module randomModule(std::uint64_t seed, const Size &);

/// True when a formula has a map that is not a plain index list, a guard, a max or an argmax.
bool isIrregular(const graph::Formula &);

} // namespace netc::fuzz
