#include "compiler/driver/images/image.h"

#include <fmt/format.h>

namespace netc::driver {

Image emptyImage(std::size_t width, std::size_t height) {
  constexpr std::size_t most = std::size_t{1} << 28; // pixels: a damaged header must not ask for all memory
  if (width == 0 || height == 0 || width > most / height) throw ImageError(fmt::format("a picture of {} x {} pixels", width, height));
  return {width, height, std::vector<std::uint8_t>(width * height * 3)};
}

Image decodeImage(const std::string &bytes) {
  if (bytes.empty()) throw ImageError("an empty file");
  if (bytes.starts_with("\xff\xd8")) return decodeJpeg(bytes);
  if (bytes.starts_with("\x89PNG")) return decodePng(bytes);
  if (bytes.starts_with("P5") || bytes.starts_with("P6")) return decodePpm(bytes);
  throw ImageError("neither JPEG, PNG nor PPM (P5, P6)");
}

} // namespace netc::driver
