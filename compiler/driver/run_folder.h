// --out DIR, the folder of one training: weights.safetensors at its end, metrics.csv by epoch, checkpoints.
#pragma once

#include "compiler/driver/checkpoints.h"
#include "compiler/driver/metrics.h"
#include "compiler/driver/outputs.h"

#include <string>

namespace netc::driver {

class RunFolder {
public:
  /// Makes the folder, or with --resume takes what a killed training left. Throws UserError.
  explicit RunFolder(const Options &);

  const std::string &weights() const { return weightsPath; }
  Checkpoints &checkpoints() { return saved; }
  Metrics &metrics() { return epochs; }

private:
  NewFolder folder; // the first member: it goes last, if nothing was put there
  FolderLock lock;
  std::string weightsPath;
  Checkpoints saved;
  Metrics epochs;
};

} // namespace netc::driver
