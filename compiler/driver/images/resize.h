// Pictures at another size.
#pragma once

#include "compiler/driver/images/image.h"

namespace netc::driver {

/// Eight bits an element, one plane (grey) or three (red, green, blue) after the other.
struct Picture {
  std::size_t channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> planes;

  std::size_t bytes() const { return planes.size(); }
};

Picture planesOf(const Image &);

/// All of the picture, by triangles as wide as two pixels of the coarser of both sizes, each way (bilinear when it grows,
/// averaged when it shrinks).
Picture resized(const Picture &, std::size_t height, std::size_t width);

/// Planes of height * width bytes: red, green and blue, or one of grey. The picture keeps its proportions: its largest
/// centred part with those of the result is resized as above. Grey is 0.299 R + 0.587 G + 0.114 B.
std::vector<std::uint8_t> centrePart(const Picture &, std::size_t channels, std::size_t height, std::size_t width);

std::uint8_t roundedByte(double);

} // namespace netc::driver
