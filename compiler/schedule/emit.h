// Emits the operations of one point of a nest: loads, the body's calls, and stores, with the indices bound to
// loop variables. Internal to lowering.
#pragma once

#include "compiler/schedule/lower_leaf.h"

namespace netc::schedule {

/// A value still in a register, and the position of the leaf's nest that each of its dimensions follows.
struct InRegister {
  loop::Operand value;
  std::vector<int> dims;
};

class PointEmitter {
 public:
  PointEmitter(const graph::Graph &graph, const Buffers &buffers, KernelBuilder &k)
      : graph(graph), buffers(buffers), k(k) {}

  /// `vector`: the position that runs along the lanes, -1: none. The nest must outlive this object.
  void begin(const Nest &nest, int vector);

  void bind(int position, Affine value) { bindings[position] = std::move(value); }
  void unbind(int position) { bindings[position].reset(); }
  bool isBound(int position) const { return bindings[position].has_value(); }
  /// Lanes from here on do not exist; applies to memory that ends there.
  void setActive(std::optional<Affine> lanes) { active = std::move(lanes); }
  /// The first sample of this iteration of a tile: what lies in parts begins there.
  void setFirstSample(Affine sample) { firstSample = std::move(sample); }
  /// An affine expression over positions, over loop variables (lane 0).
  Affine value(const Affine &) const;
  bool dependsOnLane(const Affine &a) const { return laneStride(a) != 0; }

  loop::Operand emit(int node = -1); // the body's root by default
  loop::Operand number(const Affine &overPositions);
  loop::Load load(loop::RegisterRef dst, int tensor, const Affine &address) const;
  loop::Store store(int tensor, const Affine &address, const loop::Operand &value) const;

  /// Memory that holds sample after sample, and ends at `count`, is touched by the nest or by these
  /// followers.
  bool touchesRows(const std::vector<std::string> &followers) const;

  /// Whether a node is 0 in lanes that do not exist, as what is loaded there is.
  bool isZeroBeyondActive(int node) const;

  /// An emitter for a pointwise formula at the same point; here[p] is the position of this nest for its
  /// position p.
  PointEmitter follow(const Nest &follower, const std::vector<int> &here) const;

  std::map<int, InRegister> known; // tensors whose value at this point is at hand

 private:
  loop::Operand emitNode(int node, std::vector<std::optional<loop::Operand>> &done);
  std::int64_t laneStride(const Affine &address) const;
  std::optional<Affine> activeFor(int tensor) const;
  Affine place(int tensor, const Affine &address) const;

  const graph::Graph &graph;
  const Buffers &buffers;
  KernelBuilder &k;
  const Nest *nest = nullptr;
  int vector = -1;
  std::vector<std::optional<Affine>> bindings; // by position
  std::optional<Affine> active;
  Affine firstSample;
};

/// For each position of the follower the position of `nest` it coincides with, found through a tensor in
/// registers that it reads element by element, all of it; empty when it is not pointwise over it.
std::vector<int> correspondence(const graph::Graph &, const Nest &follower,
                                const std::map<int, InRegister> &);
/// The positions that a clause's result dimensions follow; -1 where a dimension is not a plain index.
std::vector<int> dimensionPositions(const graph::Clause &);

} // namespace netc::schedule
