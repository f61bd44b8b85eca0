// The kernels of an entry as a graph in graphviz's language.
#include "compiler/schedule/dot.h"

#include "compiler/graph/text.h"
#include "compiler/support/entry_name.h"
#include "compiler/support/figures.h"

#include <fmt/format.h>

#include <set>

namespace netc::schedule {
namespace {

using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;
using graph::Tensor;

enum class Phase { Forward, Backward, Update };

std::string size(const Tensor &t) {
  std::int64_t bytes = byteSize(t.dtype);
  for (const graph::Extent &e : t.shape) bytes *= e.size;
  return bytesText(static_cast<std::size_t>(bytes));
}

class Drawing {
public:
  Drawing(const Graph &g, const Schedule &s) : graph(g), schedule(s) {}

  std::string text() {
    std::string kernels;
    for (std::size_t i = 0; i < schedule.run.size(); ++i) kernels += group(i);
    return fmt::format("digraph {} {{\n  node [shape=box, style=filled, fontname=\"sans-serif\", fontsize=11]\n"
                       "  edge [fontname=\"sans-serif\", fontsize=9, color=\"#666666\"]\n{}{}{}}}\n",
                       jsonString(graph.name), kernels, stored, edges);
  }

private:
  Phase phase(std::size_t groupNumber, const Formula &f) const {
    if (roleOf(graph.name) == "trainStep" && static_cast<int>(groupNumber) >= schedule.commit) return Phase::Update;
    return f.origin.starts_with("gradient") ? Phase::Backward : Phase::Forward;
  }

  /// Kernels that run depth first over blocks of samples stand in a frame.
  std::string group(std::size_t number) {
    const Group &g = schedule.run[number];
    std::string text;
    for (const Leaf &leaf : g.leaves)
      if (!leaf.fill) text += kernel(number, leaf);
    if (g.tile == 0 || g.leaves.size() < 2) return text;
    const std::string each = g.tile == 1 ? "sample by sample" : fmt::format("by blocks of {} samples", g.tile);
    const std::string samples = g.turns ? "in turns, " + each : each;
    return fmt::format("  subgraph cluster{} {{\n  label=\"{}\"; fontname=\"sans-serif\"; fontsize=10; color=\"#999999\"\n{}  }}\n",
                       number, samples, text);
  }

  /// One box: the formulas that it computes, fused.
  std::string kernel(std::size_t groupNumber, const Leaf &leaf) {
    static constexpr const char *colours[] = {"#d6e9f8", "#fbe0c8", "#dcefd6"};
    std::vector<std::string> members = {leaf.formula};
    members.insert(members.end(), leaf.with.begin(), leaf.with.end());
    members.insert(members.end(), leaf.then.begin(), leaf.then.end());
    std::string id = leaf.clause ? fmt::format("{}/{}", leaf.formula, leaf.clause) : leaf.formula;
    std::set<int> own, read;
    std::string label;
    for (const std::string &member : members) {
      int target = graph.find(member);
      own.insert(target);
      const Formula &f = *graph.definition(target);
      label += str(tensor(target)) + "\\l";
      reads(member == leaf.formula ? f.clauses[static_cast<std::size_t>(leaf.clause)] : f.clauses[0], read);
    }
    const Formula &lead = *graph.definition(graph.find(leaf.formula));
    Phase p = phase(groupNumber, lead);
    for (int t : read)
      if (!own.count(t) && !(p == Phase::Update && tensor(t).inStore())) edge(t, id); // what an update replaces is plain from its name
    for (int t : own) madeBy[t].push_back(id);
    return fmt::format("  {} [label=\"{}\", fillcolor=\"{}\", tooltip={}]\n", jsonString(id), label,
                       colours[static_cast<int>(p)],
                       jsonString(lead.origin + ", " + lead.location.str()));
  }

  const Tensor &tensor(int number) const { return graph.tensors[static_cast<std::size_t>(number)]; }

  static void reads(const Clause &c, std::set<int> &to) {
    for (const Node &n : c.body.nodes)
      if (n.kind == Node::Kind::Read) to.insert(n.id);
  }

  /// From the kernels that made the tensor, or from a box of its own for what the caller or the store gives.
  void edge(int number, const std::string &to) {
    const Tensor &t = tensor(number);
    if (t.kind == graph::TensorKind::Local) {
      for (const std::string &from : madeBy[number])
        edges += fmt::format("  {} -> {} [label=\"{}\"]\n", jsonString(from), jsonString(to), size(t));
      return;
    }
    // The store's tensors are read from everywhere: a box for each reader keeps the picture free of long lines.
    std::string id = fmt::format("{} for {}", t.name, to);
    stored += fmt::format("  {} [label={}, shape=ellipse, fillcolor=\"#eeeeee\", fontsize=9]\n", jsonString(id), jsonString(str(t)));
    edges += fmt::format("  {} -> {}\n", jsonString(id), jsonString(to));
  }

  const Graph &graph;
  const Schedule &schedule;
  std::map<int, std::vector<std::string>> madeBy; // kernels, by clause
  std::string stored, edges;
};

} // namespace

std::string dot(const Graph &g, const Schedule &s) { return Drawing(g, s).text(); }

} // namespace netc::schedule
