// How a contraction along channels runs: its register tile, the order of its loops and their steps. Judged by
// the traffic between registers, the two nearest caches and memory.
#include "compiler/schedule/plan_parts.h"

#include "compiler/loop/loop.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

namespace netc::schedule {

namespace {

constexpr double latency = 4;                       // cycles of a multiply-add
constexpr double bytesFromL2 = 20;                  // for each multiply-add slot
constexpr double shareOfL1 = 2.0 / 3, shareOfL2 = 0.75; // that stays there beside everything else
constexpr std::int64_t rowsInL2 = 128 << 10; // bytes of samples whose results are written in long runs meanwhile
constexpr double usesInAPass = 32; // multiply-adds with each vector that comes from memory, for the arithmetic to take longer
constexpr double edgeCost = 0.04;
constexpr std::int64_t mostVectors = 4, mostScalars = 16;
constexpr std::int64_t unrolledOperations = 160, mostAtEdges = 512;

class ContractionPlanner {
 public:
  ContractionPlanner(const Nest &nest, int vector, const Target &target, const Variation &variation, const Numeric &numeric, Leaf &leaf)
      : nest(nest), vector(vector), target(target), variation(variation), numeric(numeric), leaf(leaf) {
    for (const Step &s : numeric.order)
      reduced.push_back(nest.find(s.index));
    for (int p = 0; p < static_cast<int>(nest.positions.size()); ++p)
      for (int q = 0; q < static_cast<int>(nest.positions.size()); ++q)
        ties.push_back(std::any_of(nest.guards.begin(), nest.guards.end(), [&](const Affine &g) { return g.uses(p) && g.uses(q); }));
  }

  double plan() {
    const double cost = chooseTile();
    chooseOrder();
    chooseUnrolling();
    return cost;
  }

 private:
  struct Tile {
    std::int64_t vectors = 1;
    std::vector<std::pair<int, std::int64_t>> scalars; // position, size
    std::int64_t size() const {
      std::int64_t n = vectors;
      for (auto &[p, s] : scalars)
        n *= s;
      return n;
    }
  };

  const Position &at(int p) const { return nest.positions[p]; }
  bool batchReduced() const { return nest.batch >= 0 && at(nest.batch).reduction; }
  bool uses(const Affine &a, int p) const { return a.uses(p) || (at(p).block >= 0 && a.uses(at(p).block)); }

  /// Elements of an access when the indices in `over` run and the others stand still.
  template <class Over> double footprint(const Affine &a, Over over) const {
    double n = 1;
    for (std::size_t p = 0; p < nest.positions.size(); ++p)
      if (over(static_cast<int>(p)) && uses(a, static_cast<int>(p))) n *= static_cast<double>(at(p).extent);
    return n;
  }

  // ---- the register tile

  // Edges tie result indices to indices of the reduction: at j + v, some v are left out for the first and the last j. Where j is
  // tiled, only code for each number of v left folds the guards.

  bool tied(int p, int q) const { return ties[static_cast<std::size_t>(p) * nest.positions.size() + static_cast<std::size_t>(q)]; }
  /// A short tile that covers its index splits a long loop over q in a few places, if that runs in one go; else q must be unrolled.
  bool unrolledAtEdges(int q, const Tile &t) const {
    return std::any_of(t.scalars.begin(), t.scalars.end(), [&](const auto &s) {
      return tied(s.first, q) && (s.second < at(s.first).extent || s.second >= at(q).extent || q == firstInSample());
    });
  }
  /// The one that may run in parts where samples are reduced.
  int firstInSample() const {
    const auto first = std::find_if(reduced.begin(), reduced.end(), [&](int p) { return !at(p).batch; });
    return batchReduced() && first != reduced.end() ? *first : -1;
  }

  /// What one step of the reduction needs of a read along a tiled index. Steps unrolled at edges share it, as in x[j + v].
  double valuesOf(const Affine &address, int p, std::int64_t size, const Tile &t) const {
    const int steps = reduced.back();
    const std::int64_t step = address.coefficient(steps), apart = address.coefficient(p);
    const auto each = static_cast<double>(size);
    if (step == 0 || apart % step != 0 || !unrolledAtEdges(steps, t)) return each;
    return std::min(each, 1 + std::abs(static_cast<double>(apart / step)) * (each - 1) / static_cast<double>(at(steps).extent));
  }

  /// Slots of the multiply-add units for each multiply-add of a tile.
  double pieceCost(const Tile &t) const {
    const double operations = static_cast<double>(t.size() * target.registersPerVector());
    double loads = 0, streamed = 0;
    for (const Access &r : nest.reads) {
      if (r.tensor < 0) continue;
      double n = 1;
      for (auto &[p, s] : t.scalars)
        if (uses(r.address, p)) n *= valuesOf(r.address, p, s, t);
      if (!r.address.uses(vector)) {
        loads += n;
        continue;
      }
      n *= static_cast<double>(t.vectors);
      loads += n * target.registersPerVector();
      // What is read once in each tile and does not stay in the nearest cache comes from the next one.
      const double bytes =
          64 * n * footprint(r.address, [&](int p) { return at(p).reduction && !at(p).batch; });
      if (!batchReduced() && bytes > inL1) streamed += 64 * n / bytesFromL2 * target.registersPerVector();
    }
    return std::max({operations, loads, streamed, latency * target.multiplyAdds}) / operations +
           0.1 * (loads + streamed) / operations;
  }

  /// Full ones, or one of fewer lanes.
  std::int64_t vectors() const { return std::max<std::int64_t>(at(vector).extent / loop::lanes, 1); }

  /// The mean over the full tiles and the smaller ones at the ends.
  double tileCost(const Tile &t) const {
    double cost = 0, results = 0;
    const auto ends = [](std::int64_t extent, std::int64_t size) {
      std::vector<std::pair<std::int64_t, std::int64_t>> list; // tile, results
      if (extent >= size) list.push_back({size, extent / size * size});
      if (extent % size) list.push_back({extent % size, extent % size});
      return list;
    };
    std::vector<Tile> tiles{t};
    std::vector<double> weights{1};
    const auto split = [&](std::int64_t extent, auto sizeOf) {
      std::vector<Tile> next;
      std::vector<double> nextWeights;
      for (std::size_t i = 0; i < tiles.size(); ++i)
        for (auto &[size, covered] : ends(extent, sizeOf(tiles[i]))) {
          next.push_back(tiles[i]);
          sizeOf(next.back()) = size;
          nextWeights.push_back(weights[i] * static_cast<double>(covered));
        }
      tiles = std::move(next), weights = std::move(nextWeights);
    };
    split(vectors(), [](Tile &x) -> std::int64_t & { return x.vectors; });
    for (std::size_t s = 0; s < t.scalars.size(); ++s)
      if (!at(t.scalars[s].first).batch)
        split(at(t.scalars[s].first).extent, [s](Tile &x) -> std::int64_t & { return x.scalars[s].second; });
    for (std::size_t i = 0; i < tiles.size(); ++i)
      cost += weights[i] * pieceCost(tiles[i]), results += weights[i];
    // Each tiled index that an edge ties to the reduction multiplies the code, and shortens its loops.
    const auto edges = std::count_if(t.scalars.begin(), t.scalars.end(),
                                     [&](const auto &s) { return nest.guarded(s.first); });
    return cost / results + edgeCost * static_cast<double>(std::max<std::ptrdiff_t>(edges - 1, 0));
  }

  /// Accumulators, the vectors of one step and one broadcast.
  bool fits(const Tile &t) const {
    return (t.size() + t.vectors) * target.registersPerVector() + 1 <= target.registers - 1;
  }

  bool tileable(int p) const {
    if (at(p).name.empty() || at(p).reduction || p == vector || at(p).extent < 2) return false;
    if (at(p).batch && at(p).block >= 0) return false;
    return std::none_of(nest.guards.begin(), nest.guards.end(), [&](const Affine &g) {
      const bool reduced = std::any_of(g.terms().begin(), g.terms().end(), [&](const Affine::Term &term) {
        return term.first < static_cast<int>(nest.positions.size()) && at(term.first).reduction;
      });
      return g.uses(p) && !reduced;
    });
  }
  bool sizeAllowed(int p, std::int64_t size) const {
    if (size > at(p).extent) return false;
    if (batchReduced() && nest.guarded(p)) return size == at(p).extent; // then the long loops over an image are split, not unrolled
    if (at(p).block >= 0) return loop::lanes % size == 0;
    return !at(p).batch || (std::has_single_bit(static_cast<std::uint64_t>(size)) && at(p).extent % size == 0); // leaves of a tile agree
  }

  double chooseTile() {
    Ranking<Tile> ranking;
    const auto consider = [&](const Tile &t) {
      if (fits(t) && edgesFit(t)) ranking.consider(t, tileCost(t));
    };
    std::vector<int> candidates;
    for (int p = static_cast<int>(nest.positions.size()); p-- > 0;) // innermost first
      if (tileable(p)) candidates.push_back(p);
    for (std::int64_t v = 1; v <= std::min(mostVectors, vectors()); ++v) {
      consider({v, {}});
      for (std::size_t i = 0; i < candidates.size(); ++i)
        for (std::int64_t a = 2; a <= mostScalars && sizeFits(v * a); ++a) {
          if (!sizeAllowed(candidates[i], a)) continue;
          consider({v, {{candidates[i], a}}});
          for (std::size_t j = 0; j < i; ++j)
            for (std::int64_t b = 2; b <= mostScalars && sizeFits(v * a * b); ++b)
              if (sizeAllowed(candidates[j], b)) consider({v, {{candidates[i], a}, {candidates[j], b}}});
        }
    }
    const auto &[chosen, cost] = ranking.pick(variation.tile);
    best = chosen;
    leaf = tiled(best);
    return cost;
  }
  /// All the code for edges must stay in the instruction cache, and what unrolled steps share in registers where they are innermost.
  bool edgesFit(const Tile &t) const {
    std::int64_t operations = t.size();
    for (int q : reduced) {
      std::int64_t pieces = 1;
      for (auto &[p, s] : t.scalars)
        if (tied(p, q)) pieces = std::max(pieces, unrolledAtEdges(q, t) ? at(q).extent : std::min(at(q).extent, 2 * s - 1));
      operations *= pieces;
    }
    return operations <= mostAtEdges && (!unrolledAtEdges(reduced.back(), t) || windowFits(nest, target, tiled(t), reduced.back()));
  }
  /// The leaf with that tile. The vectors stay in registers while one broadcast after the other passes.
  Leaf tiled(const Tile &t) const {
    Leaf copy = leaf;
    for (auto &[p, s] : t.scalars)
      copy.tile.push_back({at(p).name, s});
    if (t.vectors > 1) copy.tile.push_back({at(vector).name, t.vectors * loop::lanes});
    return copy;
  }
  bool sizeFits(std::int64_t n) const { return n * target.registersPerVector() < target.registers; }

  // ---- the loops

  double cache(double bytes) const { return variation.cache * bytes; }

  /// Result indices but the vector and the batch, by falling stride in the result.
  std::vector<Step> others() const {
    std::vector<int> list;
    for (std::size_t p = 0; p < nest.positions.size(); ++p)
      if (!at(p).name.empty() && !at(p).reduction && !at(p).batch && static_cast<int>(p) != vector)
        list.push_back(static_cast<int>(p));
    const auto stride = [&](int p) { return nest.out.coefficient(at(p).block >= 0 ? at(p).block : p); };
    std::stable_sort(list.begin(), list.end(), [&](int a, int b) { return stride(a) > stride(b); });
    std::vector<Step> steps;
    for (int p : list)
      steps.push_back({at(p).name});
    return steps;
  }

  void add(std::vector<Step> steps) { leaf.order.insert(leaf.order.end(), steps.begin(), steps.end()); }

  std::int64_t vectorTiles() const {
    return (at(vector).extent + best.vectors * loop::lanes - 1) / (best.vectors * loop::lanes);
  }

  void chooseOrder() {
    leaf.order.clear();
    if (batchReduced())
      overSamples();
    else
      withinSamples();
    for (const Step &s : numeric.order)
      if (std::find(leaf.order.begin(), leaf.order.end(), Step{s.index}) == leaf.order.end()) add({s});
    const int first = nest.find(leaf.order.front().index);
    if (!at(first).reduction) leaf.parallel = at(first).name;
  }

  /// Weights that stay in the second cache pass under one sample after the other; else several samples stay
  /// there, and the weights pass.
  void withinSamples() {
    const Step lanes{at(vector).name};
    if (nest.batch < 0) {
      add({lanes});
      return add(others());
    }
    const Step n{at(nest.batch).name};
    const std::vector<Step> apart = independent();
    if (!apart.empty()) return separately(apart);
    const auto [weights, sample] = bytesOf([&](int p) { return p != nest.batch; });
    const auto batch = static_cast<double>(at(nest.batch).extent);
    std::int64_t together = tileOf(nest.batch);
    while (static_cast<double>(2 * together) <= std::min(batch, cache(inL2) / sample))
      together *= 2;
    const bool enough = at(nest.batch).extent >= enoughTasks;
    if (weights <= cache(inL2) && enough)
      add({n, lanes});
    else if (static_cast<double>(together) >= batch || together == 1 || at(nest.batch).block >= 0)
      add(together == 1 && enough ? std::vector<Step>{n, lanes} : std::vector<Step>{lanes, n});
    else
      add({{n.index, together}, lanes, n});
    add(others());
  }
  struct Bytes {
    double weights = 0, sample = 0;
  };
  template <class Over> Bytes bytesOf(Over over) const {
    Bytes bytes;
    const auto count = [&](const Affine &a) { (uses(a, nest.batch) ? bytes.sample : bytes.weights) += 4 * footprint(a, over); };
    for (const Access &r : nest.reads)
      if (r.tensor >= 0) count(r.address);
    count(nest.out);
    return bytes;
  }

  /// Result indices that all accesses use: each of their values is a contraction of its own.
  std::vector<Step> independent() const {
    std::vector<Step> list;
    for (const Step &s : others()) {
      const int p = nest.find(s.index);
      const bool all = std::all_of(nest.reads.begin(), nest.reads.end(),
                                   [&](const Access &r) { return r.tensor < 0 || uses(r.address, p); });
      if (all && tileOf(p) == 1) list.push_back(s);
    }
    return list;
  }
  /// One of them after the other, each for so many samples that their weights are worth the way into the cache.
  void separately(const std::vector<Step> &apart) {
    const Step n{at(nest.batch).name};
    const auto [weights, sample] = bytesOf([&](int p) { return p != nest.batch; });
    std::int64_t together = std::max<std::int64_t>(tileOf(nest.batch), 1);
    while (static_cast<double>(together) * sample < weights && 2 * together < loop::lanes && // 16 is a tile along the lanes
           2 * together * enoughTasks <= at(nest.batch).extent)
      together *= 2;
    if (together > tileOf(nest.batch)) add({{n.index, together}});
    else add({n});
    add(apart);
    if (together > tileOf(nest.batch)) add({n});
    add({{at(vector).name}});
    for (const Step &s : others())
      if (std::find(apart.begin(), apart.end(), s) == apart.end()) add({s});
  }
  std::int64_t tileOf(int p) const {
    for (auto &[q, s] : best.scalars)
      if (p == q) return s;
    return 1;
  }

  /// A part of the samples, or of one sample's rows, stays in the nearest cache while all results take their
  /// share of it.
  void overSamples() {
    const std::vector<Step> apart = independent();
    std::vector<Step> rest = others();
    std::erase_if(rest, [&](const Step &s) { return std::find(apart.begin(), apart.end(), s) != apart.end(); });
    add(apart);
    if (vectorTiles() > 1) {
      const Step lanes{at(vector).name};
      const std::int64_t run = writtenTogether();
      std::vector<Step> inner = rest;
      add({{lanes.index, run}});
      if (run > 1) inner.push_back(lanes);
      return overParts(inner);
    }
    std::vector<Step> inner = rest;
    if (!rest.empty()) { // threads share the first
      const Position &first = at(nest.find(rest[0].index));
      if (first.block >= 0 && first.extent > loop::lanes) {
        add({{rest[0].index, loop::lanes}});
      } else if (worthAPass(rest)) {
        add({rest[0]});
        inner.erase(inner.begin());
      }
    }
    inner.insert(inner.begin(), {at(vector).name});
    overParts(inner);
  }

  /// The first of these result indices makes several tiles, and each does so much with a vector of the lanes that it may come from
  /// memory once more.
  bool worthAPass(const std::vector<Step> &results) const {
    const int first = nest.find(results[0].index);
    double uses = static_cast<double>(tileOf(first));
    for (std::size_t i = 1; i < results.size(); ++i)
      uses *= static_cast<double>(at(nest.find(results[i].index)).extent);
    return at(first).extent > tileOf(first) && uses >= usesInAPass;
  }

  /// Large results of dense layers would be written a tile here, a tile there: so many elements along the lanes, in
  /// whole tiles, are finished together, while the second cache keeps that part of all samples. 1: does not pay.
  std::int64_t writtenTogether() const {
    const double results = 4 * footprint(nest.out, [&](int p) { return !at(p).reduction; });
    if (results <= cache(inL2) || at(vector).block >= 0 || numeric.order.size() > 1) return 1;
    const std::int64_t tile = best.vectors * loop::lanes;
    const std::int64_t tiles = static_cast<std::int64_t>(cache(rowsInL2)) / (4 * tile * at(nest.batch).extent);
    return tiles > 1 && tiles * tile < at(vector).extent ? tiles * tile : 1;
  }

  void overParts(const std::vector<Step> &inner) {
    const double plane = 64 * static_cast<double>(best.vectors) * vectorFootprint();
    std::vector<int> spatial;
    for (const Step &s : numeric.order)
      if (const int p = nest.find(s.index); !at(p).batch) spatial.push_back(p);
    const Step n{at(nest.batch).name};
    if (spatial.empty()) return add(inner);
    if (plane <= cache(inL1)) {
      const auto together = static_cast<std::int64_t>(cache(inL1) / plane);
      if (together < at(nest.batch).extent && at(nest.batch).block < 0) add({{n.index, together}}); // blocks have no steps
    } else if (at(spatial[0]).block >= 0) {
      add({n});
    } else {
      const Position &rows = at(spatial[0]);
      const double row = plane / static_cast<double>(rows.extent);
      const auto parts = static_cast<std::int64_t>(
          std::ceil(static_cast<double>(rows.extent) / std::max(1.0, std::floor(cache(inL1) / row))));
      add({n, {rows.name, (rows.extent + parts - 1) / parts}});
    }
    add(inner);
  }

  double vectorFootprint() const {
    double most = 1;
    for (const Access &r : nest.reads)
      if (r.tensor >= 0 && r.address.uses(vector))
        most = std::max(most, footprint(r.address, [&](int p) { return at(p).reduction && !at(p).batch; }));
    return most;
  }

  void chooseUnrolling() {
    std::int64_t body = best.size();
    for (std::size_t i = leaf.order.size(); i-- > 0;) {
      const int p = nest.find(leaf.order[i].index);
      if (!at(p).reduction || at(p).batch) break;
      if (unrolledAtEdges(p, best)) {
        leaf.unroll.push_back(at(p).name);
        continue;
      }
      const bool partial = at(p).block >= 0 || leaf.order[i].by > 1;
      body *= at(p).extent;
      if (!partial && !nest.guarded(p) && leaf.unroll.empty() && at(p).extent <= 8 &&
          static_cast<double>(body) <= variation.unroll * unrolledOperations &&
          (i + 1 < leaf.order.size() || windowFits(nest, target, leaf, p)))
        leaf.unroll.push_back(at(p).name);
    }
  }

  const Nest &nest;
  const int vector;
  const Target &target;
  const Variation &variation;
  const Numeric &numeric;
  std::vector<int> reduced; // positions, outermost first
  std::vector<bool> ties;   // by two positions: a guard depends on both
  Leaf &leaf;
  const double inL1 = shareOfL1 * static_cast<double>(target.l1), inL2 = shareOfL2 * static_cast<double>(target.l2); // bytes
  Tile best;
};

} // namespace

double planContraction(const Nest &nest, int vector, const Target &target, const Variation &variation, const Numeric &numeric, Leaf &leaf) {
  return ContractionPlanner(nest, vector, target, variation, numeric, leaf).plan();
}

} // namespace netc::schedule
