// The rows of an array that stays in its files, copied from where the system maps these into memory: a quarter of a call's time.
#pragma once

#include "netc/data.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace netc::driver {

class MappedRows {
public:
  /// Maps all parts of the array, whose files stay open.
  explicit MappedRows(const data::Array &);

  /// Copies these rows one after the other. False: a file could not be mapped, has become shorter or cannot be read, and
  /// data::readSample says which.
  bool copy(const std::vector<std::uint32_t> &rows, unsigned char *out) const;

private:
  struct Part {
    std::shared_ptr<const unsigned char> begin; // the file's; null: not mapped
    data::FilePart rows;
  };

  const unsigned char *find(std::size_t row) const;
  bool copyAll(const std::vector<std::uint32_t> &rows, unsigned char *out) const;
  bool complete() const;

  std::vector<Part> parts;
  std::size_t rowBytes;
};

/// How often this thread has waited for a disk where memory is mapped.
long diskWaits();

} // namespace netc::driver
