#include "compiler/driver/images/image.h"

#include <png.h>

namespace netc::driver {

Image decodePng(const std::string &bytes) {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  struct Release {
    png_image &png;
    ~Release() { png_image_free(&png); }
  } release{png};
  if (!png_image_begin_read_from_memory(&png, bytes.data(), bytes.size())) throw ImageError(png.message);
  Image image = emptyImage(png.width, png.height);
  png.format = PNG_FORMAT_RGBA; // the colours of transparent pixels as they are
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  std::vector<std::uint8_t> rgba(PNG_IMAGE_SIZE(png));
  if (!png_image_finish_read(&png, nullptr, rgba.data(), 0, nullptr)) throw ImageError(png.message);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = rgba[i / 3 * 4 + i % 3];
  return image;
}

std::string encodePng(const Image &image) {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  if (!png_image_write_to_memory(&png, nullptr, &size, 0, image.rgb.data(), 0, nullptr)) throw ImageError(png.message);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&png, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr)) throw ImageError(png.message);
  bytes.resize(size);
  return bytes;
}

} // namespace netc::driver
