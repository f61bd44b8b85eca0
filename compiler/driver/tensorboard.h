// The metrics of a training as TensorBoard reads them.
#pragma once

#include "compiler/driver/growing_file.h"
#include "compiler/driver/progress.h"

#include <cstdint>
#include <string>

namespace netc::driver {

/// An event file: records of TensorFlow's protocol buffer Event (tensorflow/core/util/event.proto), each between checksums.
/// A training that goes on has a file of its own, at whose start TensorBoard drops what came after that step.
class EventFile {
public:
  /// In the folder, under a name that TensorBoard knows and no other process took.
  explicit EventFile(const std::string &folder);
  const std::string &path() const { return file.path(); }

  /// The numbers of an epoch: "loss", "test/loss", "test/accuracy", "lr". `before`: the steps of earlier processes. Returns
  /// the reason if they could not be written yet.
  std::string add(const EpochReport &, std::uint64_t before);

private:
  GrowingFile file;
};

} // namespace netc::driver
