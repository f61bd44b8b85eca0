// --out DIR, the folder of one training: weights.safetensors and report.html at its end, metrics.csv and TensorBoard's
// events by epoch, checkpoints.
#pragma once

#include "compiler/driver/checkpoints.h"
#include "compiler/driver/metrics.h"
#include "compiler/driver/outputs.h"
#include "compiler/driver/tensorboard.h"

#include <string>

namespace netc::driver {

class RunFolder {
public:
  /// Makes the folder, or with --resume takes what a killed training left. Throws UserError.
  explicit RunFolder(const Options &);

  const std::string &weights() const { return weightsPath; }
  Checkpoints &checkpoints() { return saved; }
  Metrics &metrics() { return epochs; }
  EventFile &events() { return forTensorBoard; }
  /// Writes report.html. Throws UserError.
  void report(const std::string &page) const;

private:
  void requireNothingLost(const Options &) const;

  NewFolder folder; // the first member: it goes last, if nothing was put there
  FolderLock lock;
  std::string weightsPath, reportPath;
  Checkpoints saved;
  Metrics epochs;
  EventFile forTensorBoard;
};

} // namespace netc::driver
