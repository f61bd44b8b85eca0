// Which array of a data source feeds which input of a model: by name, then by --bind, and a sole candidate binds itself.
#pragma once

#include "compiler/driver/columns.h"
#include "compiler/loop/loop.h"
#include "netc/data.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace netc::driver {

/// The samples for the inputs in slot order, in the inputs' own types: ready to be gathered into mini-batches.
struct BoundData {
  std::vector<ColumnPtr> slots;
  std::vector<std::uint32_t> chosen; // the row of each sample; empty: all rows, in order
  std::size_t rows = 0;              // samples
  /// "image: u8[N, 1, 28, 28] from image u8[28, 28]", one a slot.
  std::vector<std::string> description;

  void read(std::size_t slot, std::size_t sample, std::uint64_t epoch, unsigned char *out) const;
  bool readAtOnce(std::size_t slot, std::size_t sample, std::uint64_t epoch, unsigned char *out) const; // see Column::readAtOnce
  bool readMapped(std::size_t slot, std::vector<std::uint32_t> samples, unsigned char *out) const; // see Column::readMapped
  /// The elements of one sample, of a test part.
  std::vector<double> sample(std::size_t slot, std::size_t number) const;
  /// The first of these samples (none given: of all) with a number that is not finite: "x.npy: sample 4 (from 0) holds nan"; or "".
  std::string notFinite(std::vector<std::uint32_t> samples = {}) const;
  bool slow() const;
  void makeSteady(); // see Column::steady
  BoundData part(std::vector<std::uint32_t> samples) const;
};

/// Arrays of a data source; the rows of one named image may be pictures in files.
struct SourcePart {
  std::shared_ptr<const data::Arrays> arrays;
  std::shared_ptr<const PictureFiles> pictures;
};

/// Planes, height and width of an input for pictures, [N, 1 or 3, height, width] or [N, height, width].
std::optional<ImageShape> imageShapeOf(const loop::Tensor &);
/// The steps of its data block.
std::vector<Transform> transformsOf(const loop::Tensor &);

/// Binds the arrays of one part (train or test) of a source. `binds` are "x=image" or "x=c1..c4" (columns side by side).
/// Extents agree up to 1s; integers convert exactly; text binds only to classes; labels are checked. `seed` is for what is random
/// in a sample. Throws UserError that names both sides and their shapes.
BoundData bindData(const std::vector<const loop::Tensor *> &inputs, const SourcePart &, const std::vector<std::string> &binds,
                   std::uint64_t seed);

} // namespace netc::driver
