// A file that grows while a training goes on, and that can be read meanwhile.
#pragma once

#include <string>

namespace netc::driver {

class GrowingFile {
public:
  explicit GrowingFile(std::string path) : file(std::move(path)) {}
  const std::string &path() const { return file; }

  /// Neither this process nor, as far as it was told, one before it has added anything.
  bool empty() const { return !begun && pending.empty(); }
  /// Continues the file that is there, with this for its content. Throws UserError.
  void restart(const std::string &bytes);
  /// All or nothing is added. What cannot be written (a full disk) is kept for the next time; returns the reason, or
  /// nothing.
  std::string add(const std::string &bytes);

private:
  std::string file, pending;
  bool begun = false; // the file holds what went before
};

} // namespace netc::driver
