// --out DIR, the folder of one training: weights.safetensors and report.html at its end, metrics.csv by epoch,
// checkpoints.
#pragma once

#include "compiler/driver/checkpoints.h"
#include "compiler/driver/confusion.h"
#include "compiler/driver/metrics.h"
#include "compiler/driver/outputs.h"

#include <optional>
#include <string>

namespace netc::driver {

class RunFolder {
public:
  /// Makes the folder, or with --resume takes what a killed training left. Throws UserError.
  explicit RunFolder(const Options &);

  const std::string &weights() const { return weightsPath; }
  Checkpoints &checkpoints() { return saved; }
  Metrics &metrics() { return epochs; }
  /// Throws UserError.
  void report(CompiledModel &, const std::optional<Confusion> &) const;

private:
  NewFolder folder; // the first member: it goes last, if nothing was put there
  FolderLock lock;
  std::string weightsPath, reportPath;
  Checkpoints saved;
  Metrics epochs;
};

} // namespace netc::driver
