// Pictures that lie in files: looked at once, kept in memory as far as there is room, and decoded again otherwise.
#pragma once

#include "compiler/driver/images/resize.h"
#include "compiler/support/transform.h"

#include <string>
#include <vector>

namespace netc::driver {

/// What a model takes: grey or colour, of this size.
struct ImageShape {
  std::size_t channels, height, width;
};

/// How pictures are prepared before they are kept: by the steps that are the same every time.
struct Preparation {
  ImageShape shape;
  std::vector<Transform> steps; // all of them; see split()
  bool random = false;          // for training
};

/// The steps before the first random one are done once; without random ones all of them, and the model's size.
struct SplitSteps {
  std::vector<Transform> once, again;
};
SplitSteps split(const Preparation &);

class PictureFiles {
public:
  /// Reads every file once. Those that cannot be read leave the list, with a warning if `lenient`, else UserError. Keeps no
  /// more than `memory` bytes, which become those that are left.
  PictureFiles(std::vector<std::string> files, const Preparation &, bool lenient, std::size_t &memory);

  /// Others behind these, prepared in the same way.
  void append(PictureFiles &&);

  const std::vector<std::string> &names() const { return files; }
  ImageShape shape() const { return preparation.shape; }
  const std::vector<Transform> &later() const { return steps.again; } // what is still to be done to a picture
  bool allInMemory() const { return kept == files.size(); }
  std::size_t inMemory() const { return kept; }
  /// After the steps that are done once. Throws UserError if the file is no longer what it was.
  Picture picture(std::size_t file) const;

private:
  Picture load(const std::string &file) const;

  std::vector<std::string> files;
  Preparation preparation;
  SplitSteps steps;
  std::vector<Picture> cache; // empty ones are not kept
  std::size_t kept = 0;
};

} // namespace netc::driver
