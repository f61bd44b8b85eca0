// A clause seen from memory: every access as a flat affine address over the clause's indices. What the cost
// model judges and lowering walks.
#pragma once

#include "compiler/schedule/schedule.h"

namespace netc::schedule {

struct Position {
  std::string name;
  std::int64_t extent = 1; // planned
  bool batch = false;
  bool reduction = false;
  int block = -1; // the position of its blocks of 16, when some tensor's layout splits the index
};

struct Access {
  int tensor = -1;
  Affine address; // elements, over positions
  bool constant = false; // its values are known when the program is compiled
};

/// Positions 0..d-1 are the clause's indices. An index p that a blocked layout splits stands for p % 16, and
/// its position `block`, behind all others, for p / 16.
struct Nest {
  const graph::Formula *formula = nullptr;
  const graph::Clause *clause = nullptr;
  std::vector<Position> positions;
  int batch = -1;
  bool rows = false; // some tensor of the step holds sample after sample
  int count = 0; // positions, those of blocks included
  std::vector<Affine> guards;
  std::vector<Access> reads; // by node number of the body; tensor -1 where the node is no read
  std::vector<Affine> index; // by node number: an Index node's value
  Affine out;                // address in the target

  int find(const std::string &name) const; // position by name, -1: none
  bool guarded(int position) const;        // some guard depends on it
  bool usedAsNumber(int position) const;   // by a guard or an Index node
};

/// Address of one element of a tensor, over the nest's positions. Throws UserError when
/// the map cannot be addressed (a blocked extent that no index alone runs over).
Affine address(const graph::Tensor &, const std::vector<Affine> &map, const Layout &, const Nest &);

/// How a tensor lies: Locals as the schedule places them, parameters and states as the store holds them, all others row-major.
Layout layout(const graph::Graph &, const std::map<std::string, Placement> &memory, int tensor);
/// The batch runs along the lanes of this layout, so that memory holds whole blocks of samples.
bool batchBlocked(const graph::Tensor &, const Layout &);

/// How many elements memory holds; with whole blocks the batch is rounded up.
std::int64_t elements(const graph::Tensor &, const Layout & = {});

Nest makeNest(const graph::Graph &, const std::map<std::string, Placement> &memory, const graph::Formula &,
              int clause);

/// For each position of `other` the one of `lead` that runs over the same points: dimension by dimension of the
/// results, index by index of the reductions. Empty when they differ in extents, steps or guards.
std::vector<int> samePoints(const graph::Graph &, const Schedule &, const Nest &lead, const Nest &other);

/// True when the elements of the positions, outermost first, lie one after the other in every access, in the same blocks of
/// 16 if in any, and the positions are not used as numbers.
bool canCollapse(const Nest &, const std::vector<int> &group);
/// Merges them into the first.
void collapse(Nest &, const std::vector<int> &group);

/// No two points of the result indices write the same element.
bool injective(const Nest &);
/// The points of a clause that exist, at full batch: guards are counted by enumerating the indices they tie together.
double existingPoints(const graph::Clause &);
/// The clauses of the formula give every element of the target its value, whatever points guards leave out.
bool coversAll(const graph::Graph &, const graph::Formula &);
/// out is the plain list of distinct indices, each over the whole extent.
bool plainOut(const graph::Graph &, const graph::Formula &, const graph::Clause &);

} // namespace netc::schedule
