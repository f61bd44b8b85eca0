// The .npy format in memory: a file of its own, or a member of an .npz.
#pragma once

#include "netc/data.h"

namespace netc::data {

/// The array that the bytes of an .npy file hold; its name is left empty. `path` is for messages.
bool parseNpy(const std::string &path, const std::vector<unsigned char> &bytes, Array &, std::string &error);

} // namespace netc::data
