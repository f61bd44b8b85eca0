// Folders of pictures by class, and lists of picture files, as a data set.
#pragma once

#include "netc/data.h"

#include <cstdint>
#include <string>
#include <vector>

namespace netc::driver {

/// What a model takes: grey or colour, of this size.
struct ImageShape {
  std::size_t channels, height, width;
};

bool isImageFile(const std::string &path); // by the ending: .jpg .jpeg .png .ppm .pgm
/// A folder in which pictures are, or folders of them: CLASS/, or train/CLASS/ and test/CLASS/ (or val/, valid/).
bool isImageFolder(const std::string &path);
/// The folder of such a folder's test part, or the folder itself if it has none.
std::string testPartOf(const std::string &path);
/// The pictures in a folder and the folders below it, by name.
std::vector<std::string> imagesBelow(const std::string &folder);

/// Arrays `image` u8[n, channels, height, width] and `label`, text: the name of the class's folder. Pictures that cannot be
/// read are left out with a warning. Throws UserError.
data::Source readImageFolder(const std::string &path, ImageShape);
/// The pictures that can be read; the names of the others leave `files`, with a warning if `lenient`, else UserError.
data::Array readImages(std::vector<std::string> &files, ImageShape, bool lenient);

} // namespace netc::driver
