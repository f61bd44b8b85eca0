// The register tile of a nest: how many results are accumulated side by side, judged by loads per operation,
// the latency to be hidden and the registers there are.
#include "compiler/schedule/plan_parts.h"

#include "compiler/schedule/kernel_builder.h"

#include "compiler/loop/loop.h"

#include <algorithm>
#include <cmath>

namespace netc::schedule {

using graph::Combine;

namespace {

constexpr std::int64_t latency = 4;              // cycles of a multiply-add
constexpr std::int64_t unrolledPoints = 160;     // in the innermost body
constexpr std::int64_t unrolledPrimitives = 640; // there: long bodies overlap by themselves and only make code
constexpr std::int64_t shortPoint = 8;           // primitives of a point that a test of its guard would cost too much
constexpr double serialWork = 30000;             // operations below which threads do not pay
constexpr std::int64_t operandsInMemory = 3; // of an unrolled body, measured: instructions read one there
constexpr std::int64_t mostBlocks = 4; // of samples side by side
constexpr std::int64_t mostLiterals = 8; // of a reduced index that a constant runs over
constexpr std::int64_t mostLiteralPoints = 2048; // in the innermost body

struct Choice {
  int p = -1;
  std::int64_t size = 1;
};

/// Two result indices, and blocks of samples side by side.
struct Tile {
  Choice a, b;
  std::int64_t blocks = 1;
  std::int64_t size() const { return a.size * b.size * blocks; }
};

/// Elements of a constant whose indices are all tiled whole, or reduced and thus unrolled, are part of the code.
bool isLiteral(const Nest &nest, const Access &r, const Tile &t) {
  if (!r.constant) return false;
  for (std::size_t p = 0; p < nest.positions.size(); ++p) {
    const int position = static_cast<int>(p);
    const auto covers = [&](const Choice &c) { return c.p == position && c.size == nest.positions[p].extent; };
    const bool whole = covers(t.a) || covers(t.b);
    if (r.address.uses(position) && !whole && !(nest.positions[p].reduction && nest.positions[p].extent <= mostLiterals)) return false;
  }
  return true;
}

/// Unrolled whole, so that the sums of several tiles overlap.
bool hasLiterals(const Nest &nest, const Tile &t) {
  return std::any_of(nest.reads.begin(), nest.reads.end(), [&](const Access &r) { return isLiteral(nest, r, t); });
}

/// Machine loads for the values of the reads that one step of the tile needs: one for what is the same in all lanes.
std::int64_t loadsOf(const Nest &nest, const Target &target, int vector, const Tile &t) {
  std::int64_t loads = 0;
  for (const Access &r : nest.reads) {
    if (r.tensor < 0 || isLiteral(nest, r, t)) continue;
    std::int64_t n = 1;
    if (t.a.p >= 0 && r.address.uses(t.a.p)) n *= t.a.size;
    if (t.b.p >= 0 && r.address.uses(t.b.p)) n *= t.b.size;
    if (nest.batch >= 0 && r.address.uses(nest.batch)) n *= t.blocks;
    loads += vector >= 0 && r.address.uses(vector) ? n * target.registersPerVector() : n;
  }
  return loads;
}

/// A sum of products or of single values: one multiply-add or addition a point. Other points are longer and
/// overlap by themselves.
bool oneOperation(const Nest &nest) {
  const graph::Body &body = nest.clause->body;
  const graph::Node &root = body.nodes[body.root];
  return nest.formula->op == Combine::Sum && (root.kind != graph::Node::Kind::Call || root.fn == Fn::Mul);
}

constexpr double heavyBytes = 64 << 10; // of weights that do not stay in the nearest caches beside samples
constexpr double shareOfL2 = 0.375;       // of samples that do, while weights pass
constexpr double shareOfL1 = 2.0 / 3;
constexpr double slotsForLine = 3; // multiply-adds of 16 lanes in the time that a line takes from the second cache
constexpr double fromThird = 2;    // how much longer it takes from the third
constexpr std::int64_t farBytes = 1024; // lines so far apart share few places in the first and second cache
constexpr std::int64_t lineBytes = 64, waysUsed = 8;

/// Elements of an access over the chosen positions.
template <class Over> double footprint(const Nest &nest, const Affine &a, Over over) {
  double n = 1;
  for (std::size_t p = 0; p < nest.positions.size(); ++p)
    if (a.uses(static_cast<int>(p)) && over(nest.positions[p]))
      n *= static_cast<double>(nest.positions[p].extent);
  return n;
}

/// Cache lines of weights that one step of the tile touches; those whose distance is whole pages share few
/// places in the nearest cache, and count more beyond these.
double linesOf(const Nest &nest, const Tile &t) {
  double lines = 0;
  for (const Access &r : nest.reads) {
    if (r.tensor < 0 || r.address.uses(nest.batch)) continue;
    double n = 1, aliased = 0;
    for (const Choice &c : {t.a, t.b}) {
      const std::int64_t bytes = c.p < 0 ? 0 : 4 * r.address.coefficient(c.p);
      if (bytes == 0) continue;
      n *= bytes >= lineBytes ? static_cast<double>(c.size)
                              : std::ceil(static_cast<double>(bytes * c.size) / lineBytes);
      if (bytes % pageBytes == 0)
        aliased += static_cast<double>(std::max<std::int64_t>(c.size - waysUsed, 0));
    }
    lines += n + 10 * aliased;
  }
  return lines;
}

/// The elements along c are those that other steps of the reduction read: x[j + v] over j for all v.
bool sharedBySteps(const Nest &nest, const Affine &address, const Choice &c) {
  for (std::size_t p = 0; p < nest.positions.size(); ++p)
    if (nest.positions[p].reduction && address.coefficient(static_cast<int>(p)) == address.coefficient(c.p) &&
        nest.positions[p].extent >= c.size)
      return true;
  return false;
}

/// The lines of a long reduction, one behind the other, share so few places that the second cache does not keep them.
bool sharePlaces(const Nest &nest, const Affine &address) {
  for (std::size_t p = 0; p < nest.positions.size(); ++p) {
    const Position &position = nest.positions[p];
    const std::int64_t step = address.coefficient(static_cast<int>(p));
    if (position.reduction && position.extent > farBytes / lineBytes * waysUsed && step != 0 && 4 * step % farBytes == 0) return true;
  }
  return false;
}

/// Cache lines of samples that one step of the tile brings, as the second cache would bring them: all, where what a tile reads
/// over its reduction does not stay in the nearest until the next tile reads it.
double streamedLines(const Nest &nest, const Target &target, const Tile &t) {
  if (nest.batch < 0 || !isContraction(*nest.formula, *nest.clause)) return 0;
  double lines = 0, bytes = 0;
  for (const Access &r : nest.reads) {
    if (r.tensor < 0 || !r.address.uses(nest.batch)) continue;
    auto n = static_cast<double>(t.blocks);
    for (const Choice &c : {t.a, t.b})
      if (c.p >= 0 && r.address.uses(c.p) && !sharedBySteps(nest, r.address, c)) n *= static_cast<double>(c.size);
    const auto steps = [&](const Position &p) { return p.reduction && !p.batch; };
    const Position &batch = nest.positions[nest.batch];
    const double blocks = batch.reduction ? std::ceil(static_cast<double>(batch.extent) / loop::lanes) : 1;
    bytes += n * blocks * footprint(nest, r.address, steps) * lineBytes;
    lines += sharePlaces(nest, r.address) ? fromThird * n : n;
  }
  return bytes > shareOfL1 * static_cast<double>(target.l1) ? lines : 0;
}

/// Primitives that one point takes.
std::int64_t primitivesOf(const Nest &nest) {
  std::int64_t n = 1;
  for (const graph::Node &node : nest.clause->body.nodes)
    if (node.kind == graph::Node::Kind::Call) n += schedule::primitivesOf(node.fn);
  return n;
}

/// Slots of the multiply-add units for each multiply-add of a machine register.
double pieceCost(const Nest &nest, const Target &target, int vector, const Tile &t, bool large) {
  const auto registers = static_cast<double>(target.registersPerVector());
  const double operations = registers * static_cast<double>(t.size());
  const double loads = static_cast<double>(loadsOf(nest, target, vector, t));
  const double hidden = oneOperation(nest) && !hasLiterals(nest, t) ? static_cast<double>(latency * target.multiplyAdds) : 2 * registers;
  const double lines = registers * (large ? linesOf(nest, t) : 0);
  const double streamed = registers * slotsForLine * streamedLines(nest, target, t);
  return std::max({operations, loads, hidden, streamed}) / operations + (0.05 * loads + 0.03 * lines) / operations;
}

/// The mean over the full tiles and the smaller ones at the ends.
double tileCost(const Nest &nest, const Target &target, int vector, const Tile &t, bool large) {
  using Pieces = std::vector<std::pair<std::int64_t, std::int64_t>>; // tile size, results
  const auto pieces = [](std::int64_t extent, std::int64_t size, std::int64_t rest) {
    Pieces list{{size, extent / size * size}};
    if (extent % size) list.push_back({rest, extent % size});
    return list;
  };
  const auto along = [&](const Choice &c) {
    if (c.p < 0) return Pieces{{1, 1}};
    const std::int64_t extent = nest.positions[c.p].extent;
    return pieces(extent, c.size, extent % c.size);
  };
  const std::int64_t samples = nest.batch < 0 ? 1 : nest.positions[nest.batch].extent;
  double cost = 0, results = 0;
  for (auto &[sa, na] : along(t.a))
    for (auto &[sb, nb] : along(t.b))
      for (auto &[sc, nc] : pieces((samples + loop::lanes - 1) / loop::lanes, t.blocks, 1)) {
        const double n = static_cast<double>(na * nb * nc);
        cost += n * pieceCost(nest, target, vector, {{t.a.p, sa}, {t.b.p, sb}, sc}, large);
        results += n;
      }
  return cost / results;
}

/// Accumulators, the operands of the smaller side (kept while the other side passes by) and one passing
/// operand, which takes one register when it is a broadcast. Where a vector takes two registers only one
/// operand is kept.
bool fits(const Nest &nest, const Target &target, int vector, const Tile &t) {
  if (t.size() > 1 && t.size() * primitivesOf(nest) > unrolledPrimitives) return false;
  if (hasLiterals(nest, t)) return true; // straight-line code, in which each sum lives for a short time only
  const std::int64_t kept =
      t.blocks > 1                     ? t.blocks
      : target.registersPerVector() > 1 ? 1
                                      : std::min<std::int64_t>({t.a.size, t.b.size, 4});
  const bool allVectors = std::all_of(nest.reads.begin(), nest.reads.end(), [&](const Access &r) {
    return r.tensor < 0 || (vector >= 0 && r.address.uses(vector));
  });
  return (t.size() + kept) * target.registersPerVector() + (allVectors ? target.registersPerVector() : 1) <=
         target.registers;
}

bool inResultGuard(const Nest &nest, int p) {
  for (const Affine &g : nest.guards) {
    bool reduced = false;
    for (auto &[v, coefficient] : g.terms())
      reduced |= nest.positions[v].reduction;
    if (!reduced && g.uses(p)) return true;
  }
  return false;
}

std::vector<int> tileable(const Nest &nest, int vector, const std::string &parallel) {
  std::vector<int> list;
  for (std::size_t p = 0; p < nest.positions.size(); ++p) {
    const Position &pos = nest.positions[p];
    if (!pos.name.empty() && !pos.reduction && !pos.batch && static_cast<int>(p) != vector && pos.block < 0 &&
        pos.extent > 1 && pos.name != parallel && !inResultGuard(nest, static_cast<int>(p)))
      list.push_back(static_cast<int>(p));
  }
  return list;
}

double operations(const Nest &nest) {
  double n = 1;
  for (const Position &p : nest.positions)
    n *= static_cast<double>(p.extent);
  return n;
}

/// A contraction along samples whose weights do not stay in the nearest caches.
bool largeWeights(const Nest &nest) {
  if (nest.batch < 0 || nest.positions[nest.batch].reduction || !nest.guards.empty() || !isContraction(*nest.formula, *nest.clause))
    return false;
  double bytes = 0;
  for (const Access &r : nest.reads)
    if (r.tensor >= 0 && !r.address.uses(nest.batch)) bytes += 4 * footprint(nest, r.address, [](const Position &) { return true; });
  return bytes > heavyBytes;
}

void chooseUnrolling(const Nest &nest, const Target &target, const Variation &variation, const Tile &tile, Leaf &leaf) {
  std::int64_t body = tile.size();
  const auto mostPoints = static_cast<std::int64_t>(
      variation.unroll * static_cast<double>(std::min(unrolledPoints, unrolledPrimitives / primitivesOf(nest))));
  for (std::size_t i = leaf.order.size(); i-- > 0;) {
    const int p = nest.find(leaf.order[i].index);
    if (!nest.positions[p].reduction || leaf.order[i].index == leaf.vector || nest.positions[p].batch) break;
    // Elements of constants become part of the code, and with them what they multiply by 0 vanishes.
    if (std::any_of(nest.reads.begin(), nest.reads.end(), [&](const Access &r) { return r.address.uses(p) && isLiteral(nest, r, tile); })) {
      body *= nest.positions[p].extent;
      if (body > mostLiteralPoints) break;
      leaf.unroll.push_back(leaf.order[i].index);
      continue;
    }
    // A guard on a tiled index can only fold when this one is a constant.
    const bool guarded = std::any_of(nest.guards.begin(), nest.guards.end(), [&](const Affine &g) {
      return g.uses(p) && (g.uses(tile.a.p) || g.uses(tile.b.p));
    });
    // Any other guard on it becomes a bound of its loop, which has to stay a loop for that.
    if (!guarded && nest.guarded(p)) break;
    body *= nest.positions[p].extent;
    const bool folds = guarded && nest.positions[p].extent <= 16 && (body <= mostPoints || primitivesOf(nest) <= shortPoint);
    if (!folds && (nest.positions[p].extent > 8 || body > mostPoints)) break;
    if (!folds && i + 1 == leaf.order.size() && !windowFits(nest, target, leaf, p)) break;
    leaf.unroll.push_back(leaf.order[i].index);
  }
}

/// The index that the threads share goes outermost: the first with work for several threads, else the one
/// with most.
void chooseParallel(const Nest &nest, Leaf &leaf) {
  if (operations(nest) < serialWork || !injective(nest)) return;
  std::int64_t best = 1;
  const auto firstStep = [&](const std::string &name) {
    return std::find_if(leaf.order.begin(), leaf.order.end(), [&](const Step &s) { return s.index == name; });
  };
  for (const Step &step : leaf.order) {
    const auto &[name, by] = step;
    if (&step != &*firstStep(name)) continue;
    const Position &p = nest.positions[nest.find(name)];
    if (p.batch && !p.reduction) { // blocks of samples are shared already
      if (name != leaf.vector) leaf.parallel = name;
      return;
    }
    if (p.reduction || best >= enoughTasks) break;
    std::int64_t size = name == leaf.vector ? loop::lanes : by;
    for (auto &[tiled, t] : leaf.tile)
      if (tiled == name) size = t;
    if (name != leaf.vector && p.extent % size) continue;
    if (p.extent / size > best) best = p.extent / size, leaf.parallel = name;
  }
  if (leaf.parallel.empty()) return;
  const auto shared = firstStep(leaf.parallel);
  std::rotate(leaf.order.begin(), shared, shared + 1);
}

} // namespace

bool heavyWeights(const Nest &nest) {
  return largeWeights(nest) && nest.positions[nest.batch].extent > loop::lanes;
}

bool windowFits(const Nest &nest, const Target &target, const Leaf &leaf, int p) {
  std::int64_t results = 1, operands = 0;
  bool window = false;
  const auto steps = [&](const std::string &name, std::int64_t size) { return name == leaf.vector ? size / loop::lanes : size; };
  for (const auto &[name, size] : leaf.tile)
    results *= steps(name, size);
  for (const Access &r : nest.reads) {
    if (r.tensor < 0) continue;
    std::int64_t values = 1;
    bool shared = false;
    for (const auto &[name, size] : leaf.tile) {
      const int t = nest.find(name);
      if (!r.address.uses(t)) continue;
      values *= steps(name, size);
      const std::int64_t step = r.address.coefficient(p), apart = r.address.coefficient(t);
      if (step == 0 || apart % step != 0 || std::abs(apart / step) >= nest.positions[p].extent) continue;
      shared = true;
      values *= std::abs(apart / step); // with a stride of 2 the odd steps share what the even ones do not
    }
    window |= shared;
    const bool vector = !leaf.vector.empty() && r.address.uses(nest.find(leaf.vector));
    operands += (shared || vector ? values : 1) * (vector ? target.registersPerVector() : 1);
  }
  return !window || results * target.registersPerVector() + operands <= target.registers + operandsInMemory;
}

double planHeavyWeights(const Nest &nest, const Target &target, const Variation &variation, const Numeric &numeric, Leaf &leaf) {
  const double cost = chooseTile(nest, target, variation, leaf);
  const Position &batch = nest.positions[nest.batch];
  std::vector<Step> results;
  double reduced = 4 * static_cast<double>(batch.extent); // bytes that all samples hold of the reduction
  for (const Step &s : leaf.order)
    if (const Position &p = nest.positions[nest.find(s.index)]; !p.reduction && !p.batch)
      results.push_back(s);
  for (const Step &s : numeric.order)
    reduced *= static_cast<double>(nest.positions[nest.find(s.index)].extent);
  leaf.order.clear();
  leaf.parallel.clear();
  const Position &first = nest.positions[nest.find(numeric.order[0].index)];
  const double inL2 = variation.cache * shareOfL2 * static_cast<double>(target.l2);
  const auto part = static_cast<std::int64_t>(inL2 / (reduced / static_cast<double>(first.extent)));
  if (reduced > inL2 && part < first.extent && first.block < 0)
    leaf.order.push_back({first.name, std::max<std::int64_t>(part, 1)});
  else if (!results.empty())
    leaf.parallel = results[0].index;
  if (leaf.order.size() == 1 && leaf.order[0].by == 1)
    leaf.order.clear(); // one value of it is too much already
  // All samples pass over the weights of the first result index before the next come.
  if (!results.empty()) leaf.order.push_back(results[0]);
  leaf.order.push_back({batch.name});
  for (std::size_t i = 1; i < results.size(); ++i)
    leaf.order.push_back(results[i]);
  leaf.order.insert(leaf.order.end(), numeric.order.begin(), numeric.order.end());
  return cost;
}

double chooseTile(const Nest &nest, const Target &target, const Variation &variation, Leaf &leaf) {
  const int vector = leaf.vector.empty() ? -1 : nest.find(leaf.vector);
  const bool reduces = std::any_of(nest.positions.begin(), nest.positions.end(),
                                   [](const Position &p) { return p.reduction; });
  const bool large = largeWeights(nest), heavy = heavyWeights(nest);
  Ranking<Tile> ranking;
  ranking.consider({}, tileCost(nest, target, vector, {}, large));
  if (reduces && injective(nest)) {
    const std::vector<int> candidates = tileable(nest, vector, leaf.parallel);
    // At equal cost the indices that are innermost in memory: neighbours share loads once a window is
    // unrolled.
    const auto consider = [&](const Tile &t) {
      if (fits(nest, target, vector, t)) ranking.consider(t, tileCost(nest, target, vector, t, large));
    };
    const auto sizes = [&](int p) { return std::min<std::int64_t>(nest.positions[p].extent, 16); };
    const std::int64_t blocks =
        heavy ? std::min(mostBlocks, (nest.positions[nest.batch].extent + loop::lanes - 1) / loop::lanes) : 1;
    for (std::int64_t n = 1; n <= blocks; ++n)
      for (std::size_t i = candidates.size(); i-- > 0;)
        for (std::int64_t sa = 1; sa <= sizes(candidates[i]); ++sa) {
          consider({{candidates[i], sa}, {}, n});
          for (std::size_t j = candidates.size(); j-- > i + 1;)
            for (std::int64_t sb = 2; sb <= sizes(candidates[j]); ++sb)
              consider({{candidates[i], sa}, {candidates[j], sb}, n});
        }
  }
  const auto &[best, cost] = ranking.pick(variation.tile);
  for (const Choice &c : {best.a, best.b})
    if (c.size > 1) leaf.tile.push_back({nest.positions[c.p].name, c.size});
  // The samples stay in registers while one weight after the other passes.
  if (best.blocks > 1) leaf.tile.push_back({nest.positions[nest.batch].name, best.blocks * loop::lanes});
  chooseUnrolling(nest, target, variation, best, leaf);
  chooseParallel(nest, leaf);
  return cost;
}

} // namespace netc::schedule
