// Requires: `cse` and `winners`: what the gradient repeats of the forward pass reads its results. A formula that asks for
// the sign of relu(e) alone asks e itself, where that reads no more from memory and keeps nothing longer: the gradient of
// a batch norm reads what e is computed from anyway.
#include "compiler/passes/passes.h"
#include "compiler/passes/rewrite.h"

#include <algorithm>

namespace netc::passes {

using graph::Body;
using graph::Clause;
using graph::Combine;
using graph::Formula;
using graph::Graph;
using graph::Node;

namespace {

/// `0 < relu(e)[map]`: the formula of relu, and its point there.
struct Mask {
  const Formula *relu = nullptr;
  std::vector<Affine> point; // by position of relu's domain, over that of the reader
};

class MaskReads {
 public:
  explicit MaskReads(Graph &g) : g(g) {}

  void run() {
    for (std::size_t i = 0; i < g.formulas.size(); ++i)
      for (Clause &c : g.formulas[i].clauses)
        for (int tensor : compared(c))
          if (Body body = withoutMask(c, tensor); isBetter(i, c, body, tensor)) c.body = std::move(body);
  }

 private:
  static bool isComparison(const Body &b, const Node &n) {
    return n.kind == Node::Kind::Call && n.fn == Fn::Lt && b.nodes[n.args[0]].kind == Node::Kind::Const &&
           b.nodes[n.args[0]].value == 0 && b.nodes[n.args[1]].kind == Node::Kind::Read;
  }

  static std::vector<int> compared(const Clause &c) {
    std::vector<int> tensors;
    for (const Node &n : c.body.nodes)
      if (isComparison(c.body, n) && std::count(tensors.begin(), tensors.end(), c.body.nodes[n.args[1]].id) == 0)
        tensors.push_back(c.body.nodes[n.args[1]].id);
    return tensors;
  }

  /// Computing it again takes less time than reading a value.
  static bool isCheap(const Body &b) {
    return std::all_of(b.nodes.begin(), b.nodes.end(), [](const Node &n) {
      return n.kind != Node::Kind::Call || n.fn == Fn::Relu || n.fn == Fn::Add || n.fn == Fn::Sub || n.fn == Fn::Mul;
    });
  }

  /// The point at which relu computed what the clause reads, if it did at every point of the clause.
  std::optional<Mask> mask(const Clause &c, const Node &read) const {
    const Formula *f = g.definition(read.id);
    if (!f || f->op != Combine::Assign || f->clauses.size() != 1) return std::nullopt;
    const Clause &made = f->clauses[0];
    const Node &root = made.body.nodes[made.body.root];
    if (root.kind != Node::Kind::Call || root.fn != Fn::Relu || !made.guards.empty() || !isCheap(made.body)) return std::nullopt;
    Mask m{f, std::vector<Affine>(made.domain.size())};
    for (std::size_t d = 0; d < made.out.size(); ++d) {
      const std::int64_t shift = made.out[d].constant();
      int p = -1;
      if (!(made.out[d] - shift).isVar(&p)) return std::nullopt;
      m.point[p] = read.map[d] - shift;
      const Interval range = rangeOver(c.domain, m.point[p]);
      if (range.min < 0 || range.max >= made.domain[p].extent.size) return std::nullopt;
    }
    return m;
  }

  /// The body with `0 < e` for each `0 < tensor[...]`.
  Body withoutMask(const Clause &c, int tensor) const {
    Body to;
    to.root = to.copy(
        c.body, c.body.root, {},
        [&](int n) {
          const Node &test = c.body.nodes[n];
          if (!isComparison(c.body, test) || c.body.nodes[test.args[1]].id != tensor) return -1;
          const std::optional<Mask> m = mask(c, c.body.nodes[test.args[1]]);
          if (!m) return -1;
          const Body &relu = m->relu->clauses[0].body;
          const int e = to.copy(relu, relu.nodes[relu.root].args[0], [&](int p) { return m->point[p]; });
          return to.call(Fn::Lt, to.constant(0), e);
        });
    return to;
  }

  /// Elements that a read touches.
  static double touched(const Clause &c, const Node &read) {
    double points = 1;
    for (std::size_t p = 0; p < c.domain.size(); ++p)
      if (std::any_of(read.map.begin(), read.map.end(), [&](const Affine &a) { return a.uses(static_cast<int>(p)); }))
        points *= static_cast<double>(c.domain[p].extent.size);
    return points;
  }

  /// The reads that touch as many elements as that of the mask, or more.
  static std::vector<Node> largeReads(const Clause &c, const Body &b, int tensor) {
    double least = 0;
    for (const Node &n : c.body.nodes)
      if (n.kind == Node::Kind::Read && n.id == tensor) least = std::max(least, touched(c, n));
    std::vector<Node> list;
    for (const Node &n : b.nodes)
      if (n.kind == Node::Kind::Read && touched(c, n) >= least) list.push_back(n);
    return list;
  }

  /// No more is read, and nothing that would not be there anyway.
  bool isBetter(std::size_t formula, const Clause &c, const Body &body, int tensor) const {
    const std::vector<Node> now = largeReads(c, body, tensor);
    if (body == c.body || now.size() > largeReads(c, c.body, tensor).size()) return false;
    return std::all_of(now.begin(), now.end(), [&](const Node &read) {
      return g.tensors[read.id].kind != graph::TensorKind::Local ||
             std::any_of(g.formulas.begin() + static_cast<std::ptrdiff_t>(formula), g.formulas.end(),
                         [&](const Formula &f) { return reads(f, read.id); });
    });
  }

  Graph &g;
};

} // namespace

void masks(Graph &g) {
  MaskReads(g).run();
}

} // namespace netc::passes
