// Outputs are checked before hours are spent on their contents.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace netc::driver {

/// Throws UserError "cannot write 'path': reason" if no file can be made there. Leaves nothing behind.
void requireWritable(const std::string &path);

/// A folder (and those above it), made unless it exists or `path` is empty. At the end the folders that were made go again
/// if nothing was put there.
class NewFolder {
public:
  explicit NewFolder(const std::string &path);
  ~NewFolder();
  NewFolder(const NewFolder &) = delete;
  NewFolder &operator=(const NewFolder &) = delete;

private:
  void removeEmpty();
  std::vector<std::string> made; // the innermost last
};

/// A text that grows while it can be read: each write reaches the file at once. Throws UserError.
class LogFile {
public:
  LogFile() = default;
  ~LogFile();
  LogFile(const LogFile &) = delete;
  LogFile &operator=(const LogFile &) = delete;

  bool isOpen() const { return file != nullptr; }
  void open(const std::string &path);
  void write(const std::string &text);

private:
  [[noreturn]] void fail() const;
  std::FILE *file = nullptr;
  std::string name;
};

} // namespace netc::driver
