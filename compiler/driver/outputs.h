// Outputs are checked before hours are spent on their contents.
#pragma once

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
