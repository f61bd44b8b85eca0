// Weights of another model, as many as fit.
#pragma once

#include "compiler/driver/compiled_model.h"

#include <string>
#include <vector>

namespace netc::driver {

/// Sets parameters and running statistics from the tensors of a safetensors file; the others keep what they have. How
/// tensors are found, `map`: "names" takes those of the same name; "FROM=TO" those that begin with FROM, which becomes TO
/// (the rest by name); "order" the k-th of the file's with this shape and last name ("weight") as the k-th of the model's.
/// Returns lines that say what matched and what did not. Throws UserError if nothing did.
std::vector<std::string> takeWeights(CompiledModel &, const std::string &path, const std::vector<std::string> &map);

} // namespace netc::driver
