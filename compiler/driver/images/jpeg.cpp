#include "compiler/driver/images/image.h"

#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>
// after jpeglib.h, which it needs
#include <jerror.h>

namespace netc::driver {
namespace {

/// libjpeg's way out of an error is a jump, which may not pass a destructor: the decoder's functions hold none.
struct Decoder {
  jpeg_decompress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  std::jmp_buf failed;
  char message[JMSG_LENGTH_MAX] = "";
};

void fail(j_common_ptr jpeg) {
  auto *decoder = static_cast<Decoder *>(jpeg->client_data);
  jpeg->err->format_message(jpeg, decoder->message);
  std::longjmp(decoder->failed, 1);
}

/// Of the warnings only those that mean missing pixels count, as in other programs.
void heed(j_common_ptr jpeg, int level) {
  int code = jpeg->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) fail(jpeg);
}

bool readHeader(Decoder &d, const std::string &bytes) {
  if (setjmp(d.failed)) return false;
  jpeg_create_decompress(&d.jpeg);
  d.jpeg.client_data = &d;
  jpeg_mem_src(&d.jpeg, reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
  jpeg_read_header(&d.jpeg, TRUE);
  bool fourInks = d.jpeg.jpeg_color_space == JCS_CMYK || d.jpeg.jpeg_color_space == JCS_YCCK;
  d.jpeg.out_color_space = fourInks ? JCS_CMYK : JCS_RGB;
  d.jpeg.dct_method = JDCT_ISLOW;
  return true;
}

/// Rows of out_color_components bytes a pixel.
bool readPixels(Decoder &d, unsigned char *pixels) {
  if (setjmp(d.failed)) return false;
  jpeg_start_decompress(&d.jpeg);
  std::size_t rowBytes = std::size_t{d.jpeg.output_width} * static_cast<std::size_t>(d.jpeg.output_components);
  while (d.jpeg.output_scanline < d.jpeg.output_height) {
    JSAMPROW row = pixels + rowBytes * d.jpeg.output_scanline;
    jpeg_read_scanlines(&d.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&d.jpeg);
  return true;
}

/// Inks as Adobe stores them: 255 is none.
void fromInks(const std::vector<std::uint8_t> &inks, std::vector<std::uint8_t> &rgb) {
  for (std::size_t i = 0; i < rgb.size(); ++i)
    rgb[i] = static_cast<std::uint8_t>(inks[i / 3 * 4 + i % 3] * inks[i / 3 * 4 + 3] / 255);
}

} // namespace

Image decodeJpeg(const std::string &bytes) {
  Decoder d;
  d.jpeg.err = jpeg_std_error(&d.errors);
  d.jpeg.client_data = &d;
  d.errors.error_exit = fail;
  d.errors.emit_message = heed;
  struct Release {
    Decoder &d;
    ~Release() { jpeg_destroy_decompress(&d.jpeg); }
  } release{d};
  if (!readHeader(d, bytes)) throw ImageError(d.message);
  Image image = emptyImage(d.jpeg.image_width, d.jpeg.image_height);
  bool fourInks = d.jpeg.out_color_space == JCS_CMYK;
  std::vector<std::uint8_t> inks(fourInks ? image.rgb.size() / 3 * 4 : 0);
  if (!readPixels(d, fourInks ? inks.data() : image.rgb.data())) throw ImageError(d.message);
  if (fourInks) fromInks(inks, image.rgb);
  return image;
}

} // namespace netc::driver
