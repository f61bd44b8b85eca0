// Invariants 6 to 9: reads and writes in range; every element written once and none forgotten. Cheap proofs come first:
// mixed-radix output maps hit as many elements as the domain has points, so counting proves coverage. What they cannot
// decide is settled by marking elements one by one.
#include "compiler/graph/ranges.h"
#include "compiler/graph/verify_formula.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace netc::graph {

namespace {

constexpr std::int64_t maxElements = 4'000'000, maxPoints = 20'000'000; // of marking one by one

bool isSingle(const Box &box, int p) { return box.of[p].min == box.of[p].max; }

/// No two points of the box that differ in an index which this dimension uses give the same value: sorted by size,
/// each coefficient exceeds what the smaller ones can add up to.
bool isMixedRadix(const Box &box, const Affine &a) {
  std::vector<std::pair<std::int64_t, std::int64_t>> digits; // coefficient, extent
  for (const auto &[p, k] : a.terms())
    if (!isSingle(box, p))
      digits.emplace_back(k < 0 ? -k : k, box.extent(p));
  std::sort(digits.begin(), digits.end());
  std::int64_t span = 0;
  for (const auto &[k, extent] : digits) {
    if (k <= span)
      return false;
    span += k * (extent - 1);
  }
  return true;
}

class WriteCheck {
public:
  WriteCheck(const Graph &g, const Formula &f, Finding &finding) : g(g), f(f), target(g.tensors[f.target]), finding(finding) {
    reduceBatch();
    for (const Clause &c : f.clauses)
      boxes.push_back(boxOf(c, batch));
    for (const Extent &e : target.shape)
      shape.push_back(e.batch ? batch : e.size);
  }

  void run() {
    if (inRange() && !provenOnce())
      markAll();
  }

private:
  /// All rows of the batch are alike when every batch dimension is indexed by a batch index and no guard looks at it:
  /// then one row stands for all; where a batch index or dimension is left out, two do.
  void reduceBatch() {
    batch = 1;
    for (const Clause &c : f.clauses) {
      auto usesBatch = [&](const Affine &a) {
        return std::any_of(a.terms().begin(), a.terms().end(),
                           [&](const Affine::Term &t) { return c.domain[t.first].extent.batch; });
      };
      if (std::any_of(c.guards.begin(), c.guards.end(), usesBatch)) {
        batch = g.batch;
        return;
      }
      for (std::size_t d = 0; d < c.out.size(); ++d)
        if (target.shape[d].batch && !usesBatch(c.out[d]))
          batch = std::min<std::int64_t>(2, g.batch);
      for (int p : c.reduction())
        if (c.domain[p].extent.batch)
          batch = std::min<std::int64_t>(2, g.batch);
    }
  }

  bool inRange() {
    bool all = true;
    for (std::size_t c = 0; c < f.clauses.size(); ++c)
      for (std::size_t d = 0; d < shape.size() && !boxes[c].empty; ++d) {
        const Interval wanted{0, shape[d] - 1};
        const Interval r = rangeOf(f.clauses[c], boxes[c], f.clauses[c].out[d], wanted);
        if (r.min >= wanted.min && r.max <= wanted.max)
          continue;
        finding.add(fmt::format("{}: the write is out of range in dimension {}: '{}' reaches {}..{}, expected 0..{}",
                                           placeName(g, f, c), d, str(f.clauses[c], f.clauses[c].out[d]), r.min, r.max,
                                           wanted.max));
        all = false;
      }
    return all;
  }

  bool needsCoverage() const { return !f.otherwise && f.op != Combine::Sum && f.op != Combine::Prod; }

  bool provenOnce() const {
    std::int64_t covered = 0, elements = 1;
    for (std::int64_t e : shape)
      elements *= e;
    for (std::size_t c = 0; c < f.clauses.size(); ++c) {
      const std::int64_t hits = hitCount(c);
      if (f.op == Combine::Assign && !(hits >= 0 && injective(c)))
        return false;
      for (std::size_t other = 0; other < c; ++other)
        if (!disjoint(other, c))
          return false;
      if (needsCoverage() && (hits < 0 || (!boxes[c].exact && !boxes[c].empty)))
        return false;
      covered += hits;
    }
    return !needsCoverage() || covered == elements;
  }

  /// The number of elements that the clause hits (an upper bound unless its box is exact); -1: not known.
  std::int64_t hitCount(std::size_t c) const {
    const Box &box = boxes[c];
    if (box.empty)
      return 0;
    std::int64_t count = 1;
    std::vector<char> seen(box.of.size(), 0);
    for (const Affine &a : f.clauses[c].out) {
      if (!isMixedRadix(box, a))
        return -1;
      for (const auto &[p, k] : a.terms()) {
        if (seen[p] && !isSingle(box, p))
          return -1; // one index in two dimensions
        seen[p] = 1;
        count *= box.extent(p);
      }
    }
    return count;
  }

  bool injective(std::size_t c) const {
    const std::vector<int> unused = f.clauses[c].reduction();
    return std::all_of(unused.begin(), unused.end(), [&](int p) { return boxes[c].empty || isSingle(boxes[c], p); });
  }

  /// Some dimension keeps the two apart: by range, or by the remainder modulo all coefficients' divisor.
  bool disjoint(std::size_t a, std::size_t b) const {
    if (boxes[a].empty || boxes[b].empty)
      return true;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const Affine &x = f.clauses[a].out[d], &y = f.clauses[b].out[d];
      const Interval rx = x.range([&](int p) { return boxes[a].of[p]; });
      const Interval ry = y.range([&](int p) { return boxes[b].of[p]; });
      if (rx.max < ry.min || ry.max < rx.min)
        return true;
      std::int64_t divisor = 0;
      for (const Affine *m : {&x, &y})
        for (const auto &[p, k] : m->terms())
          divisor = std::gcd(divisor, k);
      if (divisor > 1 && (x.constant() - y.constant()) % divisor != 0)
        return true;
    }
    return false;
  }

  std::string coordinates(std::int64_t element) const {
    std::string text;
    for (std::size_t d = shape.size(); d-- > 0; element /= shape[d])
      text = std::to_string(element % shape[d]) + (text.empty() ? "" : ", ") + text;
    return "[" + text + "]";
  }

  void markAll() {
    std::int64_t elements = 1;
    for (std::int64_t e : shape)
      elements = e > maxElements ? maxElements + 1 : std::min(elements * e, maxElements + 1);
    if (elements > maxElements)
      return finding.add(fmt::format("formula of '{}': cannot prove that its clauses are disjoint and complete: "
                                                "more than {} elements", target.name, maxElements));
    owner.assign(elements, 0);
    for (std::size_t c = 0; c < f.clauses.size(); ++c)
      if (!boxes[c].empty && !mark(c))
        return;
    if (!needsCoverage())
      return;
    const auto bare = std::find(owner.begin(), owner.end(), 0);
    if (bare != owner.end())
      finding.add(fmt::format("formula of '{}': no point writes {} and there is no otherwise", target.name,
                                         coordinates(bare - owner.begin())));
  }

  /// Marks the clause's elements; false after an error.
  bool mark(std::size_t c) {
    const Clause &clause = f.clauses[c];
    Affine offset;
    std::int64_t stride = 1;
    for (std::size_t d = shape.size(); d-- > 0; stride *= shape[d])
      offset += clause.out[d] * stride;
    std::vector<char> used(clause.domain.size(), f.op == Combine::Assign);
    for (const auto &[p, k] : offset.terms())
      used[p] = 1;
    bool clash = false;
    const bool done = forEachRow(clause, boxes[c], connected(clause, used), maxPoints,
                                 [&](std::vector<std::int64_t> &v, int p, std::int64_t begin, std::int64_t end) {
                                   if (p >= 0)
                                     v[p] = begin;
                                   std::int64_t at = offset.evaluate([&](int q) { return v[q]; });
                                   const std::int64_t step = p >= 0 ? offset.coefficient(p) : 0;
                                   for (std::int64_t i = begin; i < end && !clash; ++i, at += step)
                                     clash = !markElement(c, at);
                                   return !clash;
                                 });
    if (!done && !clash)
      finding.add(fmt::format("{}: cannot prove what it writes: more than {} points", placeName(g, f, c), maxPoints));
    return done;
  }

  bool markElement(std::size_t c, std::int64_t at) {
    const int mine = static_cast<int>(c) + 1, found = owner[at];
    owner[at] = mine;
    if (found != 0 && found != mine)
      finding.add(fmt::format("formula of '{}': clauses {} and {} both write {}", target.name, found, mine, coordinates(at)));
    else if (found == mine && f.op == Combine::Assign)
      finding.add(fmt::format("{}: two points assign {}", placeName(g, f, c), coordinates(at)));
    else
      return true;
    return false;
  }

  const Graph &g;
  const Formula &f;
  const Tensor &target;
  Finding &finding;
  std::int64_t batch = 1;
  std::vector<Box> boxes;
  std::vector<std::int64_t> shape;
  std::vector<int> owner; // of each element: the clause that wrote it, from 1
};

} // namespace

void verifyReads(const Graph &g, const Formula &f, Finding &finding) {
  for (std::size_t c = 0; c < f.clauses.size(); ++c) {
    const Clause &clause = f.clauses[c];
    const Box box = boxOf(clause, g.batch);
    for (const Node &n : clause.body.nodes) {
      if (n.kind != Node::Kind::Read || box.empty)
        continue;
      const Tensor &t = g.tensors[n.id];
      for (std::size_t d = 0; d < n.map.size(); ++d) {
        const Interval wanted{0, t.shape[d].size - 1};
        const Interval r = rangeOf(clause, box, n.map[d], wanted);
        if (r.min < wanted.min || r.max > wanted.max)
          finding.add(fmt::format("{}: the read of '{}' is out of range in dimension {}: '{}' reaches {}..{}, expected 0..{}",
                                             placeName(g, f, c), t.name, d, str(clause, n.map[d]), r.min, r.max, wanted.max), n.id);
      }
    }
  }
}

void verifyWrites(const Graph &g, const Formula &f, Finding &finding) { WriteCheck(g, f, finding).run(); }

} // namespace netc::graph
