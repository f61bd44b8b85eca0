#include "compiler/driver/images/image.h"

#include <algorithm>
#include <cctype>

namespace netc::driver {
namespace {

/// The next number of the header; before it may stand white space and comments.
std::size_t number(const std::string &bytes, std::size_t &at) {
  while (at < bytes.size() && (std::isspace(static_cast<unsigned char>(bytes[at])) || bytes[at] == '#')) {
    if (bytes[at] == '#') at = std::min(bytes.find('\n', at), bytes.size());
    else ++at;
  }
  std::size_t value = 0, first = at;
  constexpr std::size_t most = 1'000'000;
  for (; at < bytes.size() && std::isdigit(static_cast<unsigned char>(bytes[at])) && value < most; ++at)
    value = value * 10 + static_cast<std::size_t>(bytes[at] - '0');
  if (at == first) throw ImageError("a damaged PPM header");
  return value;
}

} // namespace

Image decodePpm(const std::string &bytes) {
  std::size_t channels = bytes[1] == '6' ? 3 : 1, at = 2;
  std::size_t width = number(bytes, at), height = number(bytes, at), most = number(bytes, at);
  if (most != 255) throw ImageError("a PPM whose largest value is not 255");
  Image image = emptyImage(width, height);
  ++at; // one white space
  if (at > bytes.size() || bytes.size() - at < width * height * channels) throw ImageError("truncated PPM data");
  for (std::size_t i = 0; i < image.rgb.size(); ++i)
    image.rgb[i] = static_cast<std::uint8_t>(bytes[at + (channels == 3 ? i : i / 3)]);
  return image;
}

} // namespace netc::driver
