// The middle of a picture, at another size.
#pragma once

#include "compiler/driver/images/image.h"

namespace netc::driver {

/// Planes of height * width bytes: red, green and blue, or one of grey. The picture keeps its proportions: its largest
/// centred part with those of the result is resampled, by triangles as wide as two pixels of the coarser of both (bilinear
/// when it grows, averaged when it shrinks). Grey is 0.299 R + 0.587 G + 0.114 B.
std::vector<std::uint8_t> centrePart(const Image &, std::size_t channels, std::size_t height, std::size_t width);

} // namespace netc::driver
