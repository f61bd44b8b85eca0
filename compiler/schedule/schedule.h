// A schedule is data: it says how each formula of one entry is run. `lower(graph, schedule)` decides nothing;
// the cost model (plan.h), a tuner and tests only write schedules.
//
// Its first section, the numeric plan, fixes the bits: for each reduction the order of its indices and which
// index (if any) is summed in 16 lane partials. It depends on the graph alone, not on target, threads or
// tuning. Everything below it can be changed without changing a bit.
//
// Text form (.sched); print -> parse -> print is the identity:
//
//   schedule trainStep target x86-64-v4
//   numeric {
//     conv1.y.sum: order (c, u, v)
//     conv1.weight.grad: order (n, i, j) lanes n        # 16 partial sums, combined +8 +4 +2 +1
//   }
//   memory {                                            # where each tensor lives
//     x: blocked (0) at 0                               # [n/16][...][16 n], byte offset in the workspace
//     conv1.weight.grad: plain at 4096
//     conv4.tiles: blocked (3) part 0                   # only the samples that its tile of rows has taken, one place a thread
//     conv5.tiles: blocked (3) turn at 8192             # only the samples of one turn
//     conv1.weight.next: in conv1.weight                # updated in place
//     conv1.y.sum: register                             # never stored
//     output.probability: output 0                      # the caller's memory, by slot
//   }
//   run {
//     tile n by 16 {                                    # depth first, block of samples by block, along the lanes
//       conv1.y.sum: vector n, order (o, i, j, c, u, v), tile (o 6, j 4), unroll (v), then (conv1.y)
//       fill p                                          # the `otherwise` value, or the identity, everywhere
//     }
//     tile n by 1 {                                     # depth first, sample by sample, which the threads share
//       conv4.y.sum: vector o, order (n, o, i, j, c, u, v), tile (j 12), parallel n
//     }
//     turns n by 2 {                                    # two samples, then the next two, for which the threads share other indices
//       fill conv5.weight.grad                          # before the first turn
//       conv5.tiles: vector c, order (c, n, i, j), parallel c
//       conv5.weight.grad: vector o, order (c, n, o, i, j), tile (c 4), parallel c    # continues its sums
//     }
//     conv1.weight.grad: vector n, order (o, c, u, v, n, i, j), tile (o 3, v 5), parallel o
//     commit                                            # from here on the store is written
//     conv1.weight.next: collapse (o, c, u, v), vector o, order (o), parallel o
//   }
//
// A leaf names a formula by its target (`NAME/1` is its second clause). An index is named as in the formula.
// `order` has every index, outermost first. `c by 16` is a loop over c in steps of 16; a later `c` then runs
// inside one such step. The steps of the reduction are the numeric plan's, or finer ones: `c by 64, c by 16` in
// place of `c by 16`. Where a result index stands inside a step of the reduction, the sums wait in the target
// meanwhile, which must have been filled; that changes no bit. The place of the `vector` index is that of the
// loop over its blocks of 16. The elements of a register tile come in the order of `tile`, the last index fastest.
// A collapsed group is one index from then on, named by its first: its extents are
// contiguous in every tensor that the formula touches, in the same blocks of 16 if in any.
//
// `with (f, g)` combines other reductions over the same points in the same sweep: their result dimensions follow
// the same indices, and their indices of reduction come in the same order.
//
// A layout: `plain` is row-major. `blocked (1)` of f32[N, 64, 8, 8] is [N][4][8][8][16], where the innermost 16
// are of dimension 1; `blocked (1, 0)` of f32[32, 64, 3, 3] is [2][4][3][3][16 of dim 1][16 of dim 0]. A blocked
// extent is a multiple of 16, but for the batch, which is rounded up and whose blocks are outermost. Parameters and
// states are not placed here: the store serves all entries (plan_store.cpp).
// `plain padded 16` leaves 16 elements free after each element of the first dimension, [N][64*8*8 + 16]; so does
// `blocked (1) padded 16`. What lies whole pages apart shares few places of the nearest cache.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/targets.h"

#include <map>
#include <string>
#include <vector>

namespace netc::schedule {

/// A loop over an index in steps; a later step of the same index runs inside one of this.
struct Step {
  std::string index;
  std::int64_t by = 1;
  bool operator==(const Step &) const = default;
};

struct Numeric {
  std::string formula;
  std::vector<Step> order; // the reduction indices, outermost first
  std::string lanes;       // one of them, or empty
  Location location = {};  // here and below: in the .sched file that a user wrote
  bool operator==(const Numeric &n) const { return formula == n.formula && order == n.order && lanes == n.lanes; }
};

/// The schedule does not fit the graph.
struct Misfit : UserError {
  Misfit(Location at, const std::string &what) : UserError(what), at(std::move(at)) {}
  Location at; // in the .sched file; unknown in a schedule that netc made
};

struct Layout {
  std::vector<int> blocked; // dimensions whose 16 are innermost, the last one along the lanes; none: row-major
  std::int64_t padded = 0;  // elements left free after each element of the first dimension
  bool operator==(const Layout &) const = default;
};

struct Placement {
  enum class Kind { Workspace, Part, Turn, InPlace, Register, Output } kind = Kind::Workspace;
  Layout layout;
  std::int64_t offset = 0;  // Workspace, Part, Turn: bytes. Output: slot.
  std::string of;           // InPlace: the store tensor whose place it takes
  Location location = {};
};

struct Leaf {
  std::string formula; // the target's name
  int clause = 0;
  bool fill = false; // the whole target gets its `otherwise` value; nothing below is used
  std::vector<std::vector<std::string>> collapse;
  std::string vector; // the index along the lanes; empty: one lane
  std::vector<Step> order;
  std::vector<std::pair<std::string, std::int64_t>> tile; // register tile over result indices
  std::vector<std::string> unroll;                        // reduction indices unrolled whole
  std::string parallel;          // a result index whose loop is shared by the threads; empty: none
  std::vector<std::string> with; // reductions over the same points, in the same sweep
  std::vector<std::string> then; // pointwise formulas computed from this result while it is in registers
  Location location = {};
};

struct Group {
  std::int64_t tile = 0; // depth first over so many samples: 16 along the lanes, or fewer one by one; 0: leaf by leaf
  bool turns = false;    // the leaves run one after the other for each so many samples, in order; they may add up samples
  std::vector<Leaf> leaves;
};

struct Schedule {
  std::string entry, target;
  std::vector<Numeric> numeric;
  std::map<std::string, Placement> memory; // every Local
  std::vector<Group> run;
  int commit = 0; // groups from here on write the store
  Location location = {};
};

std::string print(const Layout &);
std::string print(const Schedule &);
std::string print(const Leaf &); // one line
/// Parses the schedules of one file; errors go to diagnostics.
std::vector<Schedule> parse(const std::string &text, const std::string &fileName, Diagnostics &);

} // namespace netc::schedule
