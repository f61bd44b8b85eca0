// Requires: `simplify`, which writes pointwise formulas with the identity map. A pointwise formula goes into
// its only reader, if that is an assignment over the same index space that reads it at the same point; a
// constant goes into every reader, a value that is the same for all elements (-@rate) into every assignment.
// Nothing else goes into a contraction: fusing there is the schedule's decision.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

#include <set>

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

constexpr std::size_t cheapNodes = 4;

/// A single constant or run-time scalar.
bool isConstant(const Formula &f) {
  const Node &root = f.clauses[0].body.nodes[f.clauses[0].body.root];
  return root.kind == Node::Kind::Const || root.kind == Node::Kind::Scalar;
}

/// The same value for every element, and cheap: a few operations on constants and run-time scalars.
bool isUniform(const Formula &f) {
  const Body &b = f.clauses[0].body;
  for (const Node &n : b.nodes)
    if (n.kind == Node::Kind::Read || n.kind == Node::Kind::Index) return false;
  return b.nodes.size() <= cheapNodes;
}

/// Every read of the producer's result stands at the point that the clause visits.
bool readsInPlace(const Clause &c, const Formula &producer) {
  if (!sameDomain(c, producer.clauses[0])) return false;
  for (const Node &n : c.body.nodes)
    if (n.kind == Node::Kind::Read && n.id == producer.target && !isIdentity(n.map, c.domain.size()))
      return false;
  return true;
}

bool canMerge(const Formula &producer, const Formula &reader) {
  if (isConstant(producer)) return true;
  if (reader.op != graph::Combine::Assign) return false;
  if (isUniform(producer)) return true;
  for (const Clause &c : reader.clauses)
    if (!readsInPlace(c, producer)) return false;
  return true;
}

void substitute(Formula &reader, const Formula &producer) {
  const Body &inner = producer.clauses[0].body;
  for (Clause &c : reader.clauses) {
    Body merged;
    merged.root = merged.copy(
        c.body, c.body.root, {},
        [&](int n) {
          const Node &read = c.body.nodes[n];
          if (read.kind != Node::Kind::Read || read.id != producer.target) return -1;
          return merged.copy(inner, inner.root, [&](int p) { return read.map[p]; });
        });
    c.body = std::move(merged);
  }
}

} // namespace

void mergePointwise(Graph &g) {
  const std::vector<char> pinned = pinnedTensors(g);
  const std::vector<char> wanted = gradientTensors(g);
  std::vector<char> drop(g.formulas.size(), 0);
  std::vector<std::set<std::size_t>> readersOf(g.tensors.size()); // formulas
  const auto noteReads = [&](const Formula &f, std::size_t reader) {
    for (const Clause &c : f.clauses)
      for (const Node &n : c.body.nodes)
        if (n.kind == Node::Kind::Read) readersOf[n.id].insert(reader);
  };
  for (std::size_t i = 0; i < g.formulas.size(); ++i)
    noteReads(g.formulas[i], i);
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const Formula &producer = g.formulas[i];
    if (!isPointwise(producer) || stopsGradient(producer) || wanted[producer.target]) continue;
    const std::set<std::size_t> &readers = readersOf[producer.target];
    const bool hasOneUse = readers.size() == 1 && !pinned[producer.target];
    if (!hasOneUse && !isUniform(producer)) continue;
    bool mergedAll = true;
    for (std::size_t j : readers) {
      if (canMerge(producer, g.formulas[j])) {
        substitute(g.formulas[j], producer);
        noteReads(producer, j);
      } else {
        mergedAll = false;
      }
    }
    drop[i] = mergedAll && !pinned[producer.target];
  }
  dropFormulas(g, drop);
}

} // namespace netc::passes
