#include "compiler/driver/images/resize.h"

#include <algorithm>
#include <cmath>

namespace netc::driver {
namespace {

/// What one pixel of the result takes of a row or column.
struct Taps {
  std::size_t first = 0;
  std::vector<double> weights;
};

/// `scale` pixels of the original for one of the result, around the original's middle.
std::vector<Taps> tapsFor(std::size_t from, std::size_t to, double scale) {
  double begin = (static_cast<double>(from) - static_cast<double>(to) * scale) / 2, reach = std::max(scale, 1.0);
  std::vector<Taps> all(to);
  for (std::size_t i = 0; i < to; ++i) {
    double middle = begin + (static_cast<double>(i) + 0.5) * scale;
    auto first = static_cast<std::size_t>(std::max(0.0, std::floor(middle - reach)));
    auto end = std::min(from, static_cast<std::size_t>(std::ceil(middle + reach)));
    double sum = 0;
    all[i].first = first;
    for (std::size_t j = first; j < end; ++j) {
      double weight = std::max(0.0, 1 - std::fabs(static_cast<double>(j) + 0.5 - middle) / reach);
      all[i].weights.push_back(weight);
      sum += weight;
    }
    for (double &w : all[i].weights) w /= sum;
  }
  return all;
}

/// Each row of the image at its new width: height * width * 3 values.
std::vector<double> narrowed(const Image &image, const std::vector<Taps> &columns) {
  std::vector<double> rows(image.height * columns.size() * 3);
  double *out = rows.data();
  for (std::size_t y = 0; y < image.height; ++y)
    for (const Taps &t : columns) {
      const std::uint8_t *in = image.rgb.data() + (y * image.width + t.first) * 3;
      for (double w : t.weights)
        for (std::size_t c = 0; c < 3; ++c) out[c] += w * *in++;
      out += 3;
    }
  return rows;
}

std::uint8_t rounded(double value) { return static_cast<std::uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0)); }

} // namespace

std::vector<std::uint8_t> centrePart(const Image &image, std::size_t channels, std::size_t height, std::size_t width) {
  double scale = std::min(static_cast<double>(image.height) / static_cast<double>(height),
                          static_cast<double>(image.width) / static_cast<double>(width));
  std::vector<Taps> lines = tapsFor(image.height, height, scale);
  std::vector<double> rows = narrowed(image, tapsFor(image.width, width, scale));
  std::vector<std::uint8_t> planes(channels * height * width);
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x) {
      double rgb[3] = {};
      for (std::size_t j = 0; j < lines[y].weights.size(); ++j)
        for (std::size_t c = 0; c < 3; ++c) rgb[c] += lines[y].weights[j] * rows[((lines[y].first + j) * width + x) * 3 + c];
      std::uint8_t *out = planes.data() + y * width + x;
      if (channels == 1) *out = rounded(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]);
      else
        for (std::size_t c = 0; c < 3; ++c) out[c * height * width] = rounded(rgb[c]);
    }
  return planes;
}

} // namespace netc::driver
