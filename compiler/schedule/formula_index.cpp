#include "compiler/schedule/formula_index.h"

namespace netc::schedule {

FormulaIndex::FormulaIndex(const graph::Graph &g) : definitions(g.tensors.size()) {
  for (std::size_t t = 0; t < g.tensors.size(); ++t)
    tensors.emplace(g.tensors[t].name, static_cast<int>(t));
  for (const graph::Formula &f : g.formulas)
    definitions[f.target] = &f;
}

int FormulaIndex::tensor(std::string_view name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? -1 : found->second;
}

const graph::Formula *FormulaIndex::definition(int tensor) const { return tensor < 0 ? nullptr : definitions[tensor]; }

std::vector<int> FormulaIndex::computedBy(const Leaf &leaf) const {
  std::vector<int> targets{tensor(leaf.formula)};
  for (const std::string &name : leaf.with)
    targets.push_back(tensor(name));
  for (const std::string &name : leaf.then)
    targets.push_back(tensor(name));
  return targets;
}

} // namespace netc::schedule
