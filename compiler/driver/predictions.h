// What a model predicts for all samples of a data set, and what its outputs mean: values, or classes.
#pragma once

#include "compiler/driver/binding.h"
#include "compiler/driver/compiled_model.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace netc::driver {

/// One output of "predict": the values of one sample after the other.
struct Prediction {
  std::string name;
  std::vector<std::int64_t> shape; // of one sample
  std::size_t elements = 1;        // in it
  std::vector<double> values;
};

/// All outputs over all rows, at most `most` in a call. `data` feeds the inputs alone, or targets, too (which are not looked
/// at). Throws UserError.
std::vector<Prediction> predictAll(CompiledModel &, const BoundData &, std::size_t most);

/// "class(10)[N]"
bool oneClassASample(const loop::Tensor &);

/// A classification: a target with one class a sample, and the first output that has one value a class.
struct Classification {
  std::size_t output, target;     // numbers of an output of "predict", of an input slot
  std::vector<std::string> names; // of the classes; "0", "1", ... if they have none
};
std::optional<Classification> classificationOf(const CompiledModel &);

/// The classes of a sample, the likeliest first (of equal ones the first, as argmax).
std::vector<std::size_t> ranked(const Prediction &, std::size_t sample);

} // namespace netc::driver
