// Writes values as tensors and formulas into the graph under construction.
#pragma once

#include "compiler/support/diagnostics.h"
#include "dsl/value.h"

namespace netc::dsl {

/// An index of index notation; variable firstIndex + its position in GraphWriter::indices.
struct IndexVariable {
  std::string name;
  Location location;
  graph::Extent extent;
  bool known = false;
  bool stated = false;   // by a bound or by a declared shape
  bool declared = false; // by a declared shape
  bool disagrees = false; // reported
  std::string by;        // what fixed the extent: "in w", "by its bound"
};

/// The name, place and origin that a new formula gets.
struct Label {
  std::string name;
  Location location;
  std::string origin;
};

class GraphWriter {
 public:
  graph::Graph graph;
  std::vector<IndexVariable> indices;

  int newIndex(std::string name, const Location &at);
  IndexVariable &index(int variable) { return indices[static_cast<std::size_t>(variable - firstIndex)]; }
  Interval rangeOf(const Affine &);
  std::string str(const Affine &) const;

  Lazy constant(double, DType = DType::F32) const;
  Lazy read(int tensor) const; // the whole of it
  Lazy readAt(int tensor, std::vector<Affine> map) const;
  /// A run-time scalar as a value; equal ones are shared.
  Lazy scalar(const std::string &name, const std::vector<ScalarOp> &);

  /// The number of a point of these variables, the last counting fastest and the batch slowest, so that it does not
  /// depend on the planned batch.
  Affine ordinal(const std::vector<int> &variables, const Lazy &) const;

  /// A new Local with one formula over `domain` (variables of `value`) that writes `out`.
  struct Spec {
    graph::Combine op = graph::Combine::Assign;
    std::vector<int> domain;
    std::vector<Affine> out;
    Extents shape;
    std::vector<Affine> guards;
    std::optional<double> otherwise;
  };
  int define(const Spec &, const Lazy &value, const Label &);
  graph::Clause clause(const Spec &, const Lazy &value);

  /// The value as a tensor: itself when it is one already, else a new pointwise formula over its dimensions.
  /// Requires: no guards, and no index that the value depends on.
  int materialize(const Lazy &value, const Label &);
  /// A new formula over everything that `value` depends on, less `reduced`; the result read at the same
  /// place.
  Lazy spill(graph::Combine, const Lazy &value, const std::vector<int> &reduced, std::vector<Affine> guards,
             std::optional<double> otherwise, const Label &);

  /// Gives a Local that was named by the compiler the name that the user gave it, if that is free.
  void rename(int tensor, const std::string &name);
  /// In a repetition the last value of `h` has the name; those before it are h.1, h.2, ...
  void yieldName(int tensor, int heir);

 private:
  graph::Extent extentOf(int variable, const Lazy &) const;
};

} // namespace netc::dsl
