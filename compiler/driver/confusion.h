// Which classes a classifier takes for which.
#pragma once

#include "compiler/driver/predictions.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace netc::driver {

/// A sample that was taken for another class, and the output's value for that class.
struct Mistake {
  std::size_t sample, truth, taken;
  double value;
};

struct Confusion {
  std::vector<std::string> names;
  std::vector<std::vector<std::int64_t>> counts; // [true class][predicted class]
  std::vector<Mistake> mistakes;                 // the surest first

  std::int64_t samplesOf(std::size_t k) const;
  double accuracy() const;
  double recall(std::size_t k) const;    // of the samples of a class, those found; NaN if it has none
  double precision(std::size_t k) const; // of the samples said to be of a class, those that are; NaN if there is none

  /// A line for each class and, unless there are very many, the matrix.
  std::string text() const;
  /// "classes": [...], "confusion": [[...]]
  std::string json() const;
};

/// Empty if the model is no classifier or there are no samples.
std::optional<Confusion> confusionOf(CompiledModel &, const BoundData &, std::size_t batch);

} // namespace netc::driver
