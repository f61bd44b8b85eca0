// One leaf of a schedule -> one kernel. Internal to lowering.
#pragma once

#include "compiler/schedule/formula_index.h"
#include "compiler/schedule/kernel_builder.h"
#include "compiler/schedule/nest.h"

namespace netc::schedule {

/// Where the tensors of an entry live: buffer numbers of the loop entry, by tensor.
struct Buffers {
  std::vector<int> of; // by tensor; -1: none (kept in registers)
  std::vector<bool> wholeBlocks; // by tensor: 16 samples side by side, also beyond the last
  std::vector<bool> parts;       // by tensor: holds the samples of one iteration of its tile
  std::vector<loop::Buffer> list;
};

struct LeafContext {
  const graph::Graph &graph;
  const FormulaIndex &formulas;
  const Schedule &schedule;
  const Buffers &buffers;
  std::int64_t tile = 0; // samples of the group that it stands in; 0: none
  bool turns = false;    // which runs for so many samples after the other
  bool alongSamples() const { return tile == loop::lanes; }
};

/// A result index stands inside a step of the reduction: the target holds the sums meanwhile.
bool interruptsReduction(const graph::Formula &, const Leaf &);
/// It adds up samples, some in each turn: the target holds the sums meanwhile, too.
bool addsInTurns(const graph::Graph &, const Group &, const Leaf &);
loop::Kernel lowerLeaf(const LeafContext &, const Leaf &);
/// The whole target gets its `otherwise` value or the combine's identity.
loop::Kernel lowerFill(const LeafContext &, const graph::Formula &);

} // namespace netc::schedule
