#include "compiler/graph/evaluate_contraction.h"

#include "compiler/graph/any_target.h"
#include "compiler/graph/loop_nest.h"
#include "compiler/support/in_parallel.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace netc::graph {

namespace {

using Shape = std::vector<std::int64_t>;

constexpr std::int64_t mostTile = 8;                     // rows of the result for which one row is read once
constexpr std::int64_t leastChunk = 32, mostChunk = 256; // of a row
constexpr std::int64_t mostSteps = 4096;                 // in a table

// Costs in points of the inner loop.
constexpr double copyCost = 8;   // of an element
constexpr double rowCost = 16;   // of beginning a row
constexpr double plainCost = 6;  // of a point without rows
constexpr double dotCost = 1.5;  // of a point of scalar products, some at a time

std::int64_t product(const Shape &shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// Where an index stands, alone and with the factor 1; -1: nowhere. Nothing: it stands in another way.
std::optional<int> dimensionOf(int index, const std::vector<Affine> &map) {
  int dimension = -1;
  for (std::size_t d = 0; d < map.size(); ++d) {
    if (!map[d].uses(index)) continue;
    if (int v; dimension >= 0 || !map[d].isVar(&v)) return std::nullopt;
    dimension = static_cast<int>(d);
  }
  return dimension;
}

/// One of the three tensors: its dimension along the rows (-1: none) is moved to the end.
struct Side {
  std::vector<Affine> map;
  Shape shape;
  int row = -1;

  bool isMoved() const { return row >= 0 && row + 1 < static_cast<int>(shape.size()); }

  /// Of an element, once moved.
  Affine offset() const {
    Affine sum;
    std::int64_t stride = 1;
    auto add = [&](int d) {
      sum += map[d] * stride;
      stride *= shape[d];
    };
    if (row >= 0) add(row);
    for (int d = static_cast<int>(shape.size()); d-- > 0;)
      if (d != row) add(d);
    return sum;
  }

  /// Calls f(offset once moved, offset in logical order) for every element.
  template <class F> void forEach(F f) const {
    const auto at = shape.begin() + std::max(row, 0);
    const std::int64_t length = row >= 0 ? *at : 1;
    const std::int64_t before = product({shape.begin(), at}), after = product(shape) / std::max<std::int64_t>(1, before * length);
    constexpr std::int64_t block = 16; // neighbours in memory are used while they are in the cache
    for (std::int64_t b = 0; b < before; ++b)
      for (std::int64_t start = 0; start < after; start += block)
        for (std::int64_t r = 0; r < length; ++r)
          for (std::int64_t a = start; a < std::min(start + block, after); ++a)
            f((b * after + a) * length + r, (b * length + r) * after + a);
  }
};

/// A tensor's elements as T, moved; they are copied only where that makes a difference.
template <class T> class MovedValues {
public:
  MovedValues(const std::vector<double> &values, const Side &side) {
    if constexpr (std::is_same_v<T, double>)
      if (!side.isMoved()) {
        first = values.data();
        return;
      }
    copy.resize(values.size());
    side.forEach([&](std::int64_t moved, std::int64_t logical) { copy[moved] = static_cast<T>(values[logical]); });
    first = copy.data();
  }
  const T *data() const { return first; }

private:
  std::vector<T> copy;
  const T *first;
};

/// Offsets of one point of the reduction.
struct Step {
  std::int64_t out, a, b;
};

template <class T> struct Rows {
  T *out;
  const T *a, *b;
  const std::vector<Step> &steps;
  std::int64_t tile, length;    // of the result: rows and their elements
  std::int64_t outStep, bStep;  // from one row of the tile to the next; all use the same of `a`
  bool bothRows;                // otherwise `b` has one element a row
};

template <class T> [[gnu::always_inline]] inline void addProducts(const Rows<T> &r) {
  for (const Step &s : r.steps) {
    const T *__restrict a = r.a + s.a;
    for (std::int64_t k = 0; k < r.tile; ++k) {
      T *__restrict out = r.out + s.out + k * r.outStep;
      const T *__restrict b = r.b + s.b + k * r.bStep;
      if (r.bothRows)
        for (std::int64_t i = 0; i < r.length; ++i) out[i] += a[i] * b[i];
      else
        for (std::int64_t i = 0; i < r.length; ++i) out[i] += a[i] * *b;
    }
  }
}

/// Rows of one element, which is the same for all points of the reduction, as scalar products have them.
template <class T> [[gnu::always_inline]] inline void addScalarProducts(const Rows<T> &r) {
  T sums[mostTile] = {};
  for (std::int64_t k = 0; k < r.tile; ++k) sums[k] = r.out[k * r.outStep];
  if (r.tile == mostTile)
    for (const Step &s : r.steps)
      for (std::int64_t k = 0; k < mostTile; ++k) sums[k] += r.a[s.a] * r.b[s.b + k * r.bStep];
  else
    for (const Step &s : r.steps)
      for (std::int64_t k = 0; k < r.tile; ++k) sums[k] += r.a[s.a] * r.b[s.b + k * r.bStep];
  for (std::int64_t k = 0; k < r.tile; ++k) r.out[k * r.outStep] = sums[k];
}

NETC_ANY_TARGET void run(const Rows<double> &r) { addProducts(r); }
NETC_ANY_TARGET void run(const Rows<float> &r) { addProducts(r); }
NETC_ANY_TARGET void runScalarProducts(const Rows<double> &r) { addScalarProducts(r); }
NETC_ANY_TARGET void runScalarProducts(const Rows<float> &r) { addScalarProducts(r); }

class Contraction {
public:
  Contraction(const ClauseContext &context, const Clause &clause)
      : context(context), clause(clause), out{clause.out, shapeOf(context.formula.target), -1} {
    for (int n : clause.body.nodes[clause.body.root].args) {
      const Node &read = clause.body.nodes[n];
      (a.map.empty() ? a : b) = {read.map, shapeOf(read.id), -1};
    }
    for (std::size_t p = 0; p < clause.domain.size(); ++p)
      (dimensionOf(static_cast<int>(p), out.map).value_or(-1) >= 0 ? free : bound).push_back(static_cast<int>(p));
  }

  bool worthwhile() {
    const double points = pointCount();
    double least = plainCost * points;
    const int widest = widestOfOneFactor();
    if (isScalarProduct() && widest >= 0 && extent(widest) >= mostTile) least = dotCost * points;
    for (int p : free) {
      const std::optional<int> inA = dimensionOf(p, a.map), inB = dimensionOf(p, b.map);
      if (!inA || !inB || std::max(*inA, *inB) < 0) continue;
      Side movedOut = out, movedA = a, movedB = b;
      movedOut.row = *dimensionOf(p, out.map), movedA.row = *inA, movedB.row = *inB;
      double cost = points * (1 + rowCost / static_cast<double>(std::min(extent(p), mostChunk)));
      for (const Side *s : {&movedOut, &movedA, &movedB})
        if (s->isMoved()) cost += copyCost * static_cast<double>(product(s->shape));
      if (cost >= least) continue;
      least = cost;
      row = p;
    }
    return (row >= 0 || least < plainCost * points) && staysInside(out) && staysInside(a) && staysInside(b);
  }

  template <class T> void evaluate(const std::vector<double> &left, const std::vector<double> &right, std::vector<double> &result) {
    if (row >= 0) out.row = *dimensionOf(row, out.map), a.row = *dimensionOf(row, a.map), b.row = *dimensionOf(row, b.map);
    const MovedValues<T> leftRows(left, a), rightRows(right, b);
    std::vector<T> sums(product(out.shape), 0);
    const T *data[2] = {leftRows.data(), rightRows.data()};
    // The first factor has the rows, or else the second one the tiles.
    if (row >= 0 ? a.row < 0 : a.offset().coefficient(widestOfOneFactor()) != 0) {
      std::swap(a, b);
      std::swap(data[0], data[1]);
    }
    prepare();
    const int parts = usefulParts(pointCount());
    inParallel(parts, [&](std::size_t i) { runPart<T>({static_cast<int>(i), parts}, data[0], data[1], sums.data()); });
    if constexpr (std::is_same_v<T, double>)
      if (!out.isMoved()) return void(result = std::move(sums));
    result.resize(sums.size());
    out.forEach([&](std::int64_t moved, std::int64_t logical) { result[logical] = sums[moved]; });
  }

private:
  enum Track { Out, A, B, TileStart, ChunkStart, Tracks };

  Shape shapeOf(int tensor) const { return extentsOf(context.graph.tensors[tensor], context.evaluation.count); }

  std::int64_t extent(int position) const {
    const Extent &e = clause.domain[position].extent;
    return e.batch ? context.evaluation.count : e.size;
  }

  double pointCount() const {
    double points = 1;
    for (std::size_t p = 0; p < clause.domain.size(); ++p) points *= static_cast<double>(extent(static_cast<int>(p)));
    return points;
  }

  /// The free index with the most values that only one of the factors has; -1: none.
  int widestOfOneFactor() const {
    int widest = -1;
    for (int p : free)
      if ((a.offset().coefficient(p) == 0) != (b.offset().coefficient(p) == 0) && (widest < 0 || extent(p) > extent(widest)))
        widest = p;
    return widest;
  }

  bool isScalarProduct() const {
    return std::all_of(bound.begin(), bound.end(), [&](int p) { return out.offset().coefficient(p) == 0; });
  }

  bool staysInside(const Side &s) const {
    for (std::size_t d = 0; d < s.map.size(); ++d) {
      const Interval at = s.map[d].range([&](int p) { return Interval{0, extent(p) - 1}; });
      if (at.min < 0 || at.max >= s.shape[d]) return false;
    }
    return true;
  }

  /// As two loops, when it is too long for the table of steps.
  void addBoundLoop(int position) {
    const std::int64_t n = extent(position);
    std::int64_t inner = std::min(n, mostSteps);
    while (inner > 1 && n % inner != 0) --inner;
    if (inner < n) nest.loops.push_back(loop(position, inner));
    nest.loops.push_back({inner, loop(position).step});
  }

  Loop loop(int position, std::int64_t width = 1) const {
    const std::int64_t n = (extent(position) + width - 1) / width;
    Loop l{n, {out.offset().coefficient(position) * width, a.offset().coefficient(position) * width,
               b.offset().coefficient(position) * width, 0, 0}};
    return l;
  }

  /// Outermost what may run anywhere: pieces of a row, and the free indices, the last of them in tiles. Then the others, in
  /// the order of the domain, so that each element's products are added in that order.
  void prepare() {
    for (const Side *s : {&out, &a, &b}) nest.track(s->offset().constant());
    nest.track(0), nest.track(0);
    if (row >= 0) {
      chunk = std::clamp((extent(row) + 3) / 4, leastChunk, mostChunk);
      nest.loops.push_back(loop(row, chunk));
      nest.loops.back().step[ChunkStart] = chunk;
    }
    int tiled = -1;
    for (int p : free)
      if (p != row && a.offset().coefficient(p) == 0 && (tiled < 0 || extent(p) > extent(tiled))) tiled = p;
    for (int p : free)
      if (p != row && p != tiled) nest.loops.push_back(loop(p));
    if (tiled >= 0) {
      nest.loops.push_back(loop(tiled, mostTile));
      nest.loops.back().step[TileStart] = mostTile;
      tileExtent = extent(tiled);
      tileStep = loop(tiled).step;
    }
    freeLoops = nest.loops.size();
    LoopNest table;
    table.now.assign(Tracks, 0);
    std::int64_t size = 1;
    for (int p : bound) addBoundLoop(p);
    while (nest.loops.size() > freeLoops && size * nest.loops.back().extent <= mostSteps) {
      size *= nest.loops.back().extent;
      table.loops.insert(table.loops.begin(), nest.takeInnermost());
    }
    do steps.push_back({table.now[Out], table.now[A], table.now[B]});
    while (table.advance());
  }

  template <class T> void runPart(const Part &part, const T *left, const T *right, T *sums) const {
    LoopNest mine = nest;
    std::size_t split = 0;
    for (std::size_t l = 1; l < freeLoops; ++l)
      if (part.balance(nest.loops[l].extent) > part.balance(nest.loops[split].extent)) split = l;
    const std::int64_t iterations = nest.loops[split].extent;
    mine.restrict(split, part.begin(iterations), part.end(iterations));
    if (mine.empty()) return;
    do {
      const std::vector<std::int64_t> &at = mine.now;
      const Rows<T> rows{sums + at[Out], left + at[A], right + at[B], steps, std::min(mostTile, tileExtent - at[TileStart]),
                         row >= 0 ? std::min(chunk, extent(row) - at[ChunkStart]) : 1, tileStep[Out], tileStep[B], b.row >= 0};
      row >= 0 ? run(rows) : runScalarProducts(rows);
    } while (mine.advance());
  }

  const ClauseContext &context;
  const Clause &clause;
  Side out, a, b;
  std::vector<int> free, bound; // indices that stand alone in the output, and the others
  int row = -1;                 // the free one of the rows; none: they have one element
  LoopNest nest;
  std::size_t freeLoops = 0; // the outermost ones, whose iterations hit different elements
  std::int64_t chunk = 0, tileExtent = 1;
  std::vector<std::int64_t> tileStep = std::vector<std::int64_t>(Tracks, 0);
  std::vector<Step> steps;
};

bool isSumOfProducts(const ClauseContext &context) {
  const Formula &f = context.formula;
  if (f.op != Combine::Sum || f.clauses.size() != 1 || f.otherwise || !f.clauses[0].guards.empty()) return false;
  const Body &body = f.clauses[0].body;
  const Node &root = body.nodes[body.root];
  return root.kind == Node::Kind::Call && root.fn == Fn::Mul && body.nodes.size() == 3 && root.args[0] != root.args[1] &&
         std::all_of(root.args.begin(), root.args.end(), [&](int n) {
           const Node &read = body.nodes[n];
           return read.kind == Node::Kind::Read && !read.map.empty() && read.dtype == DType::F32 && context.valuesOf(read.id);
         });
}

} // namespace

bool evaluateContraction(const ClauseContext &context, std::vector<double> &result) {
  if (!isSumOfProducts(context)) return false;
  const Clause &clause = context.formula.clauses[0];
  Contraction contraction(context, clause);
  if (!contraction.worthwhile()) return false;
  auto values = [&](int argument) -> const std::vector<double> & {
    const Body &body = clause.body;
    return *context.valuesOf(body.nodes[body.nodes[body.root].args[argument]].id);
  };
  if (context.evaluation.precision == Precision::Float32)
    contraction.evaluate<float>(values(0), values(1), result);
  else
    contraction.evaluate<double>(values(0), values(1), result);
  return true;
}

} // namespace netc::graph
