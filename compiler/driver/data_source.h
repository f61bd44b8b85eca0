// Data sets and files, bound to the inputs of a model.
#pragma once

#include "compiler/driver/binding.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/options.h"

#include <string>
#include <vector>

namespace netc::driver {

/// --data: its two parts, bound to the model's inputs. Data without a test part give a fifth of their rows, drawn by a
/// fixed permutation, for one; --validation takes as many as it says from the rows to train with instead.
struct DataParts {
  BoundData train, test;
  std::string description;
};
DataParts readData(const CompiledModel &, const Options &);

/// What `netc predict` looks at: the files that were named, or --data: its test part, or all of it when it has no test part
/// of its own. Only inputs are bound, no targets.
struct Samples {
  BoundData data;
  std::vector<std::string> names; // one a sample; none: they are numbered
};
Samples readSamples(const CompiledModel &, const Options &);

} // namespace netc::driver
