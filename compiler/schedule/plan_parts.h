// What the parts of the planner share. Internal to the cost model.
#pragma once

#include "compiler/schedule/nest.h"
#include "compiler/schedule/plan.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace netc::schedule {

/// What lies whole pages apart shares few places of the nearest cache.
constexpr std::int64_t pageBytes = 4096;
constexpr std::int64_t enoughTasks = 4; // for the threads to share
constexpr std::int64_t fewSamples = 3;  // at most: 16 side by side would mostly be none

/// The position that runs along the 16 lanes: the batch index where all memory has samples side by side,
/// otherwise the index that touches memory best; -1: none.
int chooseVector(const Nest &);
/// The same where some memory holds sample after sample, and a gather from `read`, an access, costs gather(read).
int cheapestVector(const Nest &, const std::function<double(const Access &read)> &gather);
constexpr double gatherCost = 10; // of a contiguous access

/// Layout and kind of place of every Local, without offsets: results are the caller's, next values take the
/// place of their state.
std::map<std::string, Placement> planLayouts(const graph::Graph &);
/// Weights that a contraction reads in another layout than they have get a copy in that.
void packWeights(graph::Graph &);
/// Has the store hold each parameter, and the states that go with it, as most contractions of all entries read it. Copies that
/// then lie like it are gone, and what is computed from it element by element lies like it. All entries must be prepared.
void planStore(graph::Module &);
/// The layouts of what is computed element by element from what the store holds in blocks.
void followStore(const graph::Graph &, std::map<std::string, Placement> &layouts);
/// Dense layers whose samples lie in rows.
void rowsOfSamples(graph::Graph &);
/// Contractions read what they would gather from copies, where that pays.
void copyGathered(graph::Graph &);
/// Sums of products leave out borders of zeros, which are not stored then.
void unpad(graph::Graph &);
/// Convolutions with fewer multiplications, where the model says that it pays; `allowFour`: also those that lose accuracy.
void winograd(graph::Graph &, bool allowFour);
/// Sums over the samples and what each has add up each sample first.
void sumSamples(graph::Graph &);
/// Appends `name[i...] = tensor[i...]` and returns its target.
int addCopy(graph::Graph &, const std::string &name, int tensor);
/// A sum of products of two tensors.
bool isContraction(const graph::Formula &, const graph::Clause &);

/// What a tuner tries besides the model's own choice, which is {}.
struct Variation {
  int tile = 0;      // register tiles that are passed over, the best ones first
  double cache = 1;  // of what the model takes the caches to hold
  double unroll = 1; // of the operations that it has in the innermost body
};

/// The register tiles that a model compared, and the one that a variation takes.
template <class Tile> class Ranking {
 public:
  void consider(Tile tile, double cost) { tiles.push_back({std::move(tile), cost}); }
  /// The best after `passed` better ones, or the last; among equals the one that was considered first.
  const std::pair<Tile, double> &pick(int passed) {
    constexpr double equal = 1e-9;
    for (std::size_t begin = 0;; ++begin) {
      std::size_t best = begin;
      for (std::size_t i = begin + 1; i < tiles.size(); ++i)
        if (tiles[i].second < tiles[best].second - equal) best = i;
      std::rotate(tiles.begin() + begin, tiles.begin() + best, tiles.begin() + best + 1);
      if (passed-- == 0 || begin + 1 == tiles.size()) return tiles[begin];
    }
  }

 private:
  std::vector<std::pair<Tile, double>> tiles; // and its cost
};

struct PlannedLeaf {
  Leaf leaf;
  double cost = 0; // slots of the multiply-add units for each multiply-add
};
/// A clause by itself: nothing follows it or shares its sweep yet. Reads the layouts and numeric plan of the schedule.
PlannedLeaf planLeaf(const graph::Graph &, const Schedule &, const Target &, const graph::Formula &, int clause,
                     const Variation & = {});
/// As its leaf runs it: contiguous indices are one.
Nest collapsed(const graph::Graph &, const std::map<std::string, Placement> &memory, const graph::Formula &, int clause);

// The parts of planLeaf() return the cost.

/// Order, tile, unrolling and parallel index of a contraction along a result index that is not the batch.
double planContraction(const Nest &, int vector, const Target &, const Variation &, const Numeric &, Leaf &);

/// A contraction along samples whose weights do not stay in the nearest caches: it takes all samples at once.
bool heavyWeights(const Nest &);
double planHeavyWeights(const Nest &, const Target &, const Variation &, const Numeric &, Leaf &);

/// The register tile, unrolling and parallel index of one clause.
double chooseTile(const Nest &, const Target &, const Variation &, Leaf &);

/// Whether the registers hold the tile when p, the innermost index, is unrolled: what a tiled index shares with other steps of p, as
/// in x[j + v], is loaded once for all of them and stays.
bool windowFits(const Nest &, const Target &, const Leaf &, int p);

/// Gives the tensor what no clause will.
Leaf fillOf(const std::string &tensor);

/// How many times its sources an intermediate value must be as large for it to be worth keeping from the memory, and how many times
/// the second cache it may then take.
constexpr double swollenBy = 1.5, swollenShare = 8;
/// It is much larger than what it is made from.
bool isSwollen(const graph::Graph &, int tensor);
/// Reads and writes only its own sample in every access, and samples lie one by one.
bool goesByRows(const graph::Graph &, const std::map<std::string, Placement> &memory, const graph::Formula &);

/// A sum over samples of tensors that swell too much to be there for all samples at once: some samples' are made and added up in
/// each turn.
struct Turns {
  int sum = -1;             // tensors
  std::vector<int> sources; // that nothing else reads
  std::int64_t samples = 1; // of a turn
};
std::vector<Turns> findTurns(const graph::Graph &, const Schedule &, const Target &);
Group planTurns(const graph::Graph &, const Schedule &, const Target &, const Turns &);
/// The leaf as it runs in turns of so many samples.
Leaf inTurns(const graph::Graph &, Leaf, std::int64_t samples);

/// Changes the order of the groups and leaves before the commit where less is alive at once then. The kinds of places
/// must be known.
void orderForMemory(const graph::Graph &, Schedule &);

} // namespace netc::schedule
