// Formulas by the names that a schedule has for them.
#pragma once

#include "compiler/schedule/schedule.h"

#include <string_view>
#include <unordered_map>
#include <vector>

namespace netc::schedule {

/// For who looks up many: the graph has to be searched for each. It must stay as it is meanwhile.
class FormulaIndex {
 public:
  explicit FormulaIndex(const graph::Graph &);

  int tensor(std::string_view name) const;            // -1: none
  const graph::Formula *definition(int tensor) const; // null: none, also of -1
  const graph::Formula *definition(std::string_view target) const { return definition(tensor(target)); }
  /// The targets of the formulas that a leaf computes, its own first, in the order in which it computes them.
  std::vector<int> computedBy(const Leaf &) const;

 private:
  std::unordered_map<std::string_view, int> tensors;
  std::vector<const graph::Formula *> definitions; // by tensor
};

} // namespace netc::schedule
