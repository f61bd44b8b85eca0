// Finds the fastest way to run each kernel of one entry by measuring, in the place that the kernel has in a step.
#pragma once

#include "compiler/driver/compiled_model.h"
#include "compiler/driver/kernel_times.h"
#include "compiler/schedule/candidates.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace netc::driver {

/// What was found of a kernel that has a choice.
struct Tuned {
  std::string entry, likeness;
  schedule::Leaf own, kept;           // the schedule's, and the one that is clearly faster, if any is
  double ownSeconds = 0, seconds = 0; // the best of each
  std::size_t tried = 0;              // candidates
  std::size_t leaves = 1;             // of the entry that are alike
};

class EntryTuner {
public:
  using Clock = std::chrono::steady_clock;

  /// `program` is lowered from `schedules`, `model` compiled from that. All must outlive this.
  EntryTuner(CompiledModel &model, const loop::Program &program, const graph::Graph &, const schedule::Schedule &,
             const Target &, const void *const *inputs);

  /// Measures until enough is known, the deadline comes or somebody presses Ctrl-C, and says now and then how far it is.
  /// Leaves that are like one that is `known`, by schedule::likeness(), run in its way.
  void run(const std::map<std::string, schedule::Leaf> &known, Clock::time_point deadline,
           const std::function<void(const std::string &)> &say);

  schedule::Schedule schedule() const; // with the fastest leaves
  const std::vector<Tuned> &found() const { return results; }

private:
  struct Place { // of a leaf
    std::size_t kernel, group, leaf;
  };
  struct Contest { // of the ways to run a kernel
    Place place;
    std::string likeness;
    std::vector<Place> alike; // all that have it, `place` too
    double seconds = 0;       // of all of them, as the schedule is
    std::vector<schedule::Candidate> candidates = {};
    std::vector<NetcStage> stages = {};    // of the candidates that are compiled, the first ones
    std::vector<double> best = {};         // seconds
    std::vector<std::size_t> running = {}; // candidates that take turns
    std::size_t fastest() const;
  };

  bool over(Clock::time_point) const;
  schedule::Leaf &leafAt(const Place &p) { return tuned.run[p.group].leaves[p.leaf]; }
  void open(const std::map<std::string, schedule::Leaf> &known, Clock::time_point deadline);
  bool fits(std::size_t place) const;
  void compile(Clock::time_point deadline);
  void measure(std::size_t rounds, Clock::time_point deadline, const std::string &what);
  void dropTheSlow();
  void decide();

  CompiledModel &model;
  const loop::Program &program;
  const loop::Entry &entry;
  const graph::Graph &graph;
  schedule::Schedule tuned;
  const Target &target;
  KernelClock clock;
  std::vector<Contest> contests;
  std::vector<std::unique_ptr<codegen::Jit>> compiled;
  std::vector<Tuned> results;
  std::function<void(const std::string &)> say;
};

} // namespace netc::driver
