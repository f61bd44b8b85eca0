// What the names in a body stand for: the formulas seen so far, by the tensor that each defines. A pass that walks the
// formulas in order, and puts new ones before their first reader, keeps its list here.
#pragma once

#include "compiler/graph/graph.h"

#include <string>
#include <vector>

namespace netc::passes {

class Names {
 public:
  /// Takes the formulas out of the graph, which gets them back one by one.
  explicit Names(graph::Graph &);

  std::vector<graph::Formula> take() { return std::move(before); }
  /// The next formula of the graph.
  void append(graph::Formula);
  /// A formula for a new tensor, named and shaped like another one; returns the tensor.
  int define(graph::Formula, int like, const std::string &suffix, DType = DType::F32);

  const graph::Formula *formulaOf(int tensor) const; // null: not seen yet, or no formula
  /// The only clause of a pointwise formula of moderate size; null where a read of the tensor must stay a read.
  const graph::Clause *pointwise(int tensor) const;
  /// What a read of a pointwise formula stands for, copied into b; the read itself if it is none.
  int meaning(graph::Body &b, int node) const;
  /// The same until there is nothing to look into.
  int wholeMeaning(graph::Body &b, int node) const;
  /// Its gradient is asked for, so its readers must keep reading it.
  bool isWanted(int tensor) const { return tensor < static_cast<int>(wanted.size()) && wanted[tensor]; }

  graph::Graph &graph;

 private:
  std::vector<graph::Formula> before;
  std::vector<char> wanted;
  std::vector<int> definition; // by tensor: position of its formula, -1: none yet
};

/// A sum of one clause over all points of a box, each result index a plain one that runs over the whole dimension.
bool isPlainSum(const graph::Graph &, const graph::Formula &);

/// For such a sum's clause: one without a body that visits each element of the result, the indices named as there.
graph::Clause resultClause(const graph::Clause &);

/// The number of points that a sum has for each element, for a count.
double pointsPerElement(const graph::Clause &, double count);

} // namespace netc::passes
