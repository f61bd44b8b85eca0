// report.html of a run folder: one page that needs nothing from elsewhere.
#pragma once

#include "compiler/driver/binding.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/confusion.h"
#include "compiler/driver/kernel_times.h"

#include <optional>
#include <string>
#include <vector>

namespace netc::driver {

/// A parameter of two-dimensional filters over grey or colour: [filters, 1 or 3, height, width].
struct FilterBank {
  std::string name;
  std::size_t count, planes, height, width;
  std::vector<float> values;
};
/// The first one, as it is now; empty if the model has none.
std::optional<FilterBank> firstFilters(CompiledModel &);

/// What a page shows besides the model itself.
struct TrainingRecord {
  std::string metrics;               // the text of metrics.csv
  std::optional<FilterBank> filters; // as they were in the beginning
  const BoundData &test;
  std::optional<Confusion> confusion; // of a classifier on the samples of `test`
  KernelTimes step;
  std::string memory; // SVG
  std::string graph;  // SVG, or empty
};

/// Curves of the columns of the metrics, classes and their confusion, the surest mistakes as pictures, filters before and
/// after, where the time of a step and the memory go, the graph. What there is nothing of is left out.
std::string reportPage(CompiledModel &, const TrainingRecord &);

} // namespace netc::driver
