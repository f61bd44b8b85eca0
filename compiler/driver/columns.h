// Where the samples of one input or target come from: memory, or files that are read as they are needed; pictures
// are prepared by the steps of the model's data block.
#pragma once

#include "compiler/driver/images/picture_files.h"
#include "compiler/support/transform.h"
#include "netc/data.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace netc::driver {

class Column {
public:
  Column(data::Type type, std::size_t sampleBytes) : type(type), sampleBytes(sampleBytes) {}
  virtual ~Column() = default;

  /// One sample. What is random in it is a function of the epoch. Any number of threads may call it. Throws UserError.
  virtual void read(std::size_t row, std::uint64_t epoch, unsigned char *out) const = 0;
  /// The same if it takes no waiting for a disk. If not, false: the disk may begin, and read() waits for it.
  virtual bool readAtOnce(std::size_t, std::uint64_t, unsigned char *) const { return false; }
  /// These samples one after the other, from where their file is mapped into memory, which waits for a disk like any access.
  /// False: not this time, or never; read() does.
  virtual bool readMapped(const std::vector<std::uint32_t> & /*rows*/, unsigned char *) const { return false; }
  /// The same without chance, as the test part takes it; null: this is without.
  virtual std::shared_ptr<const Column> steady() const { return nullptr; }
  /// Where an element of a sample stands, for messages.
  virtual std::string place(std::size_t row, std::size_t element) const;
  /// Whether a sample takes so long that threads of their own should read ahead.
  virtual bool slow() const { return false; }

  const data::Type type;
  const std::size_t sampleBytes;
};
using ColumnPtr = std::shared_ptr<const Column>;

/// The rows of an array.
ColumnPtr arrayColumn(std::shared_ptr<const data::Array>);
/// Another column's samples as another type, which holds them exactly.
ColumnPtr convertedColumn(ColumnPtr, data::Type);

/// Random numbers of the steps; nothing is random in a test part.
struct Chance {
  std::string input; // its name: each input draws its own numbers
  std::uint64_t seed = 0;
};

/// Pictures of an array u8[n, height, width] or u8[n, channels, height, width].
ColumnPtr preparedColumn(std::shared_ptr<const data::Array>, std::vector<Transform>, ImageShape, const Chance &);
/// Pictures of files: those steps that the files have not done themselves, then the model's size.
ColumnPtr filesColumn(std::shared_ptr<const PictureFiles>, const Chance &);

} // namespace netc::driver
