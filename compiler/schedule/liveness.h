// When the tensors of a workspace are alive, along the kernels of a schedule, and which of them may hold one place
// one after the other.
#pragma once

#include "compiler/schedule/schedule.h"

#include <cstdint>
#include <vector>

namespace netc::schedule {

struct Life {
  int tensor = -1;
  int first = -1, last = -1; // kernels
};

/// A place of the workspace. Its tensors hold it in order: each but the first begins in the kernel in which the one
/// before ends, which reads an element before it writes it, or later in the same tiled group.
struct Place {
  std::vector<Life> lives;
  std::int64_t bytes = 0;    // a multiple of 64
  int first = -1, last = -1; // times
  std::int64_t offset = 0;
};

/// Times are kernels, numbered in order. The kernels of a tiled group alternate, so that they are all at one time:
/// that of the first.
struct Liveness {
  std::vector<const Leaf *> kernels;
  std::vector<int> time; // of each kernel
  std::vector<Place> places;

  /// The bytes alive at a time.
  std::int64_t at(int time) const;
  /// The time at which most is alive. No plan for this order of kernels needs less than what is alive then.
  int peak() const;
  std::int64_t bound() const { return places.empty() ? 0 : at(peak()); }
};

/// Of the tensors that the schedule places in the workspace.
Liveness liveness(const graph::Graph &, const Schedule &);

/// It lies in the arena that all threads share.
bool inArena(const Placement &);

/// The samples of the tile of rows, or of the turn, in which a tensor is made; 0: none makes it.
std::int64_t samplesOfTile(const graph::Graph &, const Schedule &, int tensor);

/// What a tensor takes of the workspace, or of each of its parts, rounded up to 64.
std::int64_t workspaceBytes(const graph::Graph &, const Schedule &, int tensor);

} // namespace netc::schedule
