// What the parts of the planner share. Internal to the cost model.
#pragma once

#include "compiler/schedule/nest.h"
#include "compiler/schedule/plan.h"

namespace netc::schedule {

/// What lies whole pages apart shares few places of the nearest cache.
constexpr std::int64_t pageBytes = 4096;
constexpr std::int64_t enoughTasks = 4; // for the threads to share

/// The position that runs along the 16 lanes: the batch index where all memory has samples side by side,
/// otherwise the index that touches memory best; -1: none.
int chooseVector(const Nest &);

/// Layout and kind of place of every Local, without offsets: results are the caller's, next values take the
/// place of their state.
std::map<std::string, Placement> planLayouts(const graph::Graph &);
/// Weights that a contraction reads in another layout than they have get a copy in that.
void packWeights(graph::Graph &);
/// Dense layers whose samples lie in rows.
void rowsOfSamples(graph::Graph &);
/// Sums over the samples and what each has add up each sample first.
void sumSamples(graph::Graph &);
/// Appends `name[i...] = tensor[i...]` and returns its target.
int addCopy(graph::Graph &, const std::string &name, int tensor);
/// Some clause of the formula reads the tensor.
bool reads(const graph::Formula &, int tensor);
/// A sum of products of two tensors.
bool isContraction(const graph::Formula &, const graph::Clause &);

/// Order, tile, unrolling and parallel index of a contraction along a result index that is not the batch.
void planContraction(const Nest &, int vector, const Target &, const Numeric &, Leaf &);

/// A contraction along samples whose weights do not stay in the nearest caches: it takes all samples at once.
bool heavyWeights(const Nest &);
void planHeavyWeights(const Nest &, const Target &, const Numeric &, Leaf &);

/// The register tile, unrolling and parallel index of one clause.
void chooseTile(const Nest &, const Target &, Leaf &);

/// Changes the order of the groups and leaves before the commit where less is alive at once then. The kinds of places
/// must be known.
void orderForMemory(const graph::Graph &, Schedule &);

} // namespace netc::schedule
