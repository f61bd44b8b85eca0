// What is known about the variables at a place in a kernel, and whether it proves that an affine expression is never
// negative. The verifier and the passes ask this and nothing else.
#pragma once

#include "compiler/loop/loop.h"

namespace netc::loop {

class Bounds {
public:
  /// The run-time sizes, as they are related for every count from 1 to the batch, and the parallel variable.
  Bounds(const Kernel &, std::int64_t batch);

  /// Steps into a loop's body, or into a place where all conditions hold (>= 0); leave() undoes the last step.
  void enter(const For &);
  void enter(const std::vector<Affine> &conditions);
  void leave();

  /// True when e >= 0 for all values of the variables around this place. Proves by replacing variables, innermost
  /// first, by the bounds of their loops; false means only that it found no proof.
  bool nonNegative(const Affine &e) const;
  bool negative(const Affine &e) const { return nonNegative(e * -1 - 1); }

  /// The loop's body runs at least once.
  bool surelyRuns(const For &) const;
  /// The loop's body never runs.
  bool neverRuns(const For &) const;
  /// The interval of a variable, by interval arithmetic alone.
  Interval interval(int var) const { return facts[var].interval; }
  /// The same by trying all values of the variables that matter, so the answer is exact. Nothing when they are too many.
  std::optional<bool> nonNegativeByTrying(const Affine &e) const;

private:
  struct Bound { // factor * variable >= (or <=) by
    Affine by;
    std::int64_t factor = 1;
  };
  struct Facts {
    int depth = -1; // position in scope order; -1: not in scope
    std::vector<Bound> lower, upper;
    Interval interval;
    std::int64_t step = 1;
    std::size_t loopBounds = 0; // the first of `lower` are the loop's own; guards add the others
  };
  struct Undo {
    int var;
    Facts before;
  };
  void bind(int var, int depth);
  void remember(int var) { undo.push_back({var, facts[var]}); }
  void addLower(int var, Affine by, std::int64_t factor);
  void addUpper(int var, Affine by, std::int64_t factor);
  int innermost(const Affine &) const;
  Interval range(const Affine &) const;
  struct Proof;
  bool prove(const Affine &, Proof &) const;
  struct Trial;
  bool tryAll(Trial &, std::size_t level) const;

  std::int64_t batch;
  std::vector<Facts> facts;
  std::vector<Undo> undo;
  std::vector<std::size_t> frames; // sizes of undo
  int depth = 0;
};

} // namespace netc::loop
