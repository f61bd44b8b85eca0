#include "compiler/schedule/fusion_text.h"

#include "compiler/schedule/formula_index.h"
#include "compiler/schedule/liveness.h"
#include "compiler/schedule/nest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace netc::schedule {

using graph::Graph;
using graph::Node;

namespace {

class FusionText {
 public:
  FusionText(const Graph &g, const Schedule &s) : g(g), s(s), formulas(g) {}

  std::string print() {
    for (const Group &group : s.run) add(group);
    return fmt::format("entry {}: {} bytes moved, {} with a kernel for each formula{}\n{}", g.name, apart - saved, apart,
                       fromCache ? fmt::format("; {} more are read from the cache, in a tile", fromCache) : "", lines);
  }

 private:
  void add(const Group &group) {
    std::set<int> madeHere;
    std::int64_t cached = 0;
    const std::string indent = group.tile > 0 ? "    " : "  ";
    std::string inside;
    for (const Leaf &leaf : group.leaves) {
      if (leaf.fill) continue;
      const std::vector<int> made = formulas.computedBy(leaf);
      const std::set<int> own(made.begin(), made.end());
      const std::int64_t saves = savedBy(leaf, made, own);
      if (made.size() > 1) inside += fmt::format("{}{}: saves {}{}\n", indent, fmt::join(names(made), " + "), saves, inRegisters(made));
      saved += saves;
      for (int t : readBy(leaf, made))
        if (madeHere.count(t) && !own.count(t)) cached += bytes(t);
      madeHere.insert(made.begin(), made.end());
    }
    fromCache += cached;
    if (group.tile > 0 && cached > 0)
      lines += fmt::format("  {} n by {}: {} bytes are read while they are in the cache\n", group.turns ? "turns" : "tile", group.tile,
                           cached);
    else if (group.tile > 0 && !inside.empty()) lines += fmt::format("  tile n by {}:\n", group.tile);
    lines += inside;
  }

  /// What the formulas read and write one by one, less what the kernel does.
  std::int64_t savedBy(const Leaf &leaf, const std::vector<int> &made, const std::set<int> &own) {
    std::int64_t alone = 0, together = 0;
    for (int t : made) {
      const bool later = g.tensors[t].name == leaf.formula && leaf.clause > 0; // counted with the first
      if (!later) alone += bytes(t);
      for (int r : readBy(leaf, {t})) alone += bytes(r);
      if (!later && !isRegister(t)) together += bytes(t);
    }
    for (int r : readBy(leaf, made))
      if (!own.count(r)) together += bytes(r);
    apart += alone;
    return alone - together;
  }

  std::set<int> readBy(const Leaf &leaf, const std::vector<int> &targets) const {
    std::set<int> read;
    for (int t : targets) {
      const graph::Formula &f = *formulas.definition(t);
      for (std::size_t c = 0; c < f.clauses.size(); ++c)
        if (g.tensors[t].name != leaf.formula || static_cast<int>(c) == leaf.clause)
          for (const Node &n : f.clauses[c].body.nodes)
            if (n.kind == Node::Kind::Read) read.insert(n.id);
    }
    return read;
  }

  bool isRegister(int tensor) const {
    const auto p = s.memory.find(g.tensors[tensor].name);
    return p != s.memory.end() && p->second.kind == Placement::Kind::Register;
  }
  std::int64_t bytes(int tensor) const {
    return byteSize(g.tensors[tensor].dtype) * elements(g.tensors[tensor], layout(g, s.memory, tensor));
  }
  std::vector<std::string> names(const std::vector<int> &tensors) const {
    std::vector<std::string> list;
    for (int t : tensors) list.push_back(g.tensors[t].name);
    return list;
  }
  std::string inRegisters(const std::vector<int> &made) const {
    std::vector<int> kept;
    for (int t : made)
      if (isRegister(t)) kept.push_back(t);
    return kept.empty() ? "" : fmt::format("; {} in registers only", fmt::join(names(kept), ", "));
  }

  const Graph &g;
  const Schedule &s;
  const FormulaIndex formulas;
  std::int64_t apart = 0, saved = 0, fromCache = 0;
  std::string lines;
};

} // namespace

std::string fusionText(const Graph &g, const Schedule &s) { return FusionText(g, s).print(); }

} // namespace netc::schedule
