// Outputs are checked before hours are spent on their contents.
#pragma once

#include <string>
#include <vector>

namespace netc::driver {

/// Throws UserError "cannot write 'path': reason" if no file can be made there. Leaves nothing behind.
void requireWritable(const std::string &path);

/// The last line of a text that goes into a file, as a comment of its format (a file's ending, or the name of a stage): what
/// made it.
std::string signature(const std::string &format);

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

/// A folder that one process at a time works in, however that process ends. Throws UserError.
class FolderLock {
public:
  explicit FolderLock(const std::string &path);
  ~FolderLock();
  FolderLock(const FolderLock &) = delete;
  FolderLock &operator=(const FolderLock &) = delete;

private:
  int folder;
};

} // namespace netc::driver
