#include "compiler/driver/run_folder.h"

#include "compiler/support/diagnostics.h"
#include "compiler/support/text_file.h"

#include <fmt/format.h>

#include <filesystem>

namespace netc::driver {
namespace {

namespace fs = std::filesystem;

std::string inFolder(const std::string &folder, const char *name) { return (fs::path(folder) / name).string(); }

/// --resume with a misspelt folder would begin a training of its own there.
const std::string &checked(const Options &o) {
  if (o.resume && !fs::is_directory(o.out)) throw UserError(fmt::format("--resume: there is no folder '{}'", o.out));
  return o.out;
}

/// What a process that was killed was writing.
void removeTemporaries(const std::string &folder) {
  std::error_code ignored;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, ignored)) {
    std::string name = entry.path().filename().string();
    bool ours = name.starts_with("checkpoint-") || name.starts_with("weights.safetensors") || name.starts_with("metrics.csv") ||
                name.starts_with("report.html");
    if (ours && name.find(".tmp") != std::string::npos) fs::remove(entry.path(), ignored);
  }
}

} // namespace

RunFolder::RunFolder(const Options &o)
    : folder(checked(o)), lock(o.out), weightsPath(inFolder(o.out, "weights.safetensors")),
      reportPath(inFolder(o.out, "report.html")), saved(o), epochs(inFolder(o.out, "metrics.csv")), forTensorBoard(o.out) {
  requireNothingLost(o);
  removeTemporaries(o.out);
  requireWritable(weightsPath);
  requireWritable(epochs.path());
  requireWritable(reportPath);
}

/// A training that begins must not write over what another one left. With --resume one may begin where the one before was
/// killed before its first checkpoint.
void RunFolder::requireNothingLost(const Options &o) const {
  if (const auto step = saved.newest()) {
    if (o.resume) return;
    throw UserError(fmt::format("'{}' holds a training that came to step {}: go on with it (--resume), or choose another --out",
                                o.out, *step));
  }
  std::error_code ignored;
  const char *left = fs::exists(weightsPath, ignored)                 ? "weights"
                     : saved.anyDamaged()                             ? "damaged checkpoints"
                     : !o.resume && fs::exists(epochs.path(), ignored) ? "metrics"
                                                                      : nullptr;
  if (left)
    throw UserError(fmt::format("'{}' holds {} of a training, and no checkpoint to go on from: choose another --out", o.out, left));
}

void RunFolder::report(const std::string &page) const { writeFile(reportPath, page); }

} // namespace netc::driver
