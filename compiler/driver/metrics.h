// metrics.csv: one line an epoch, which can be read while the training goes on.
#pragma once

#include "compiler/driver/progress.h"

#include <cstdint>
#include <string>

namespace netc::driver {

class Metrics {
public:
  explicit Metrics(std::string path) : file(std::move(path)) {}
  const std::string &path() const { return file; }

  /// Of a file that is there: keeps the lines of the first `epochs` epochs, the others will come again. Throws UserError.
  void keep(std::uint64_t epochs);
  /// A line more. What cannot be written (a full disk) is kept for the next time; returns the reason, or nothing.
  std::string add(const EpochReport &);

private:
  std::string file, pending;
  bool begun = false; // the file holds what went before
};

} // namespace netc::driver
