// metrics.csv: one line an epoch, which can be read while the training goes on.
#pragma once

#include "compiler/driver/growing_file.h"
#include "compiler/driver/progress.h"

#include <cstdint>
#include <string>

namespace netc::driver {

class Metrics {
public:
  explicit Metrics(std::string path) : file(std::move(path)) {}
  const std::string &path() const { return file.path(); }

  /// Of a file that is there: keeps the lines of the first `epochs` epochs, the others will come again. Throws UserError.
  void keep(std::uint64_t epochs);
  /// A line more; the reason if it could not be written yet.
  std::string add(const EpochReport &);

private:
  GrowingFile file;
};

} // namespace netc::driver
