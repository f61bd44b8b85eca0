// Folders of pictures by class, and lists of picture files, as a data set.
#pragma once

#include "compiler/driver/images/picture_files.h"
#include "netc/data.h"

#include <memory>
#include <string>
#include <vector>

namespace netc::driver {

bool isImageFile(const std::string &path); // by the ending: .jpg .jpeg .png .ppm .pgm
/// A folder in which pictures are, or folders of them: CLASS/, or train/CLASS/ and test/CLASS/ (or val/, valid/).
bool isImageFolder(const std::string &path);
/// The folder of such a folder's test part, or the folder itself if it has none.
std::string testPartOf(const std::string &path);
/// The pictures in a folder and the folders below it, by name. Throws UserError for a folder that cannot be read.
std::vector<std::string> imagesBelow(const std::string &folder);

/// Arrays `image` u8[n, channels, height, width], whose rows are the pictures and lie there, and perhaps `label`, text: the
/// name of the class's folder.
struct PicturePart {
  data::Arrays arrays;
  std::shared_ptr<const PictureFiles> pictures;
};
struct PictureFolder {
  PicturePart train, test; // test: perhaps empty
  std::string description;
};

/// Pictures that cannot be read are left out with a warning. `memory` is for the pictures. Throws UserError.
PictureFolder readImageFolder(const std::string &path, Preparation, std::size_t memory);
/// Files and folders of them, no labels. A picture that was named itself must be readable.
PicturePart readImages(const std::vector<std::string> &paths, const Preparation &, std::size_t memory);

} // namespace netc::driver
