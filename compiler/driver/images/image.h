// Pictures from files: JPEG, PNG and PPM, told apart by their first bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace netc::driver {

/// Eight bits a channel, red, green and blue side by side; a grey picture has three equal ones.
struct Image {
  std::size_t width = 0, height = 0;
  std::vector<std::uint8_t> rgb; // height * width * 3
};

/// What is wrong with a picture, without its name: "truncated JPEG data".
struct ImageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Transparency is dropped; palettes, grey, 16 bits and CMYK are converted. Throws ImageError.
Image decodeImage(const std::string &bytes);

// One format each.
Image decodeJpeg(const std::string &bytes);
Image decodePng(const std::string &bytes);
Image decodePpm(const std::string &bytes); // P5 and P6 with 255 as the largest value

std::string encodePng(const Image &);

/// A place for the pixels; throws ImageError if the extents are beyond all sense.
Image emptyImage(std::size_t width, std::size_t height);

} // namespace netc::driver
