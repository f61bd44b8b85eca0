// Which array of a data source feeds which input of a model: by name, then by --bind, and a sole candidate binds itself.
#pragma once

#include "compiler/loop/loop.h"
#include "netc/data.h"

#include <string>
#include <vector>

namespace netc::driver {

/// Arrays for the inputs in slot order, in the inputs' own types: ready to be gathered into mini-batches.
struct BoundData {
  std::vector<data::Array> slots;
  std::size_t rows = 0;
  /// "image: u8[N, 1, 28, 28] from image u8[28, 28]", one a slot.
  std::vector<std::string> description;
};

/// Binds the arrays of one part (train or test) of a source. `binds` are "x=image" or "x=c1..c4" (columns side by side).
/// Extents agree up to 1s; integers convert exactly; text binds only to classes; labels are checked. Throws UserError
/// that names both sides and their shapes.
BoundData bindData(const std::vector<const loop::Tensor *> &inputs, const data::Arrays &, const std::vector<std::string> &binds);

} // namespace netc::driver
