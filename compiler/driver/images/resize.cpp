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

double scaleOf(std::size_t from, std::size_t to) { return static_cast<double>(from) / static_cast<double>(to); }

/// One plane: the rows at their new width, then the columns at their new height; not rounded.
std::vector<double> resampled(const std::uint8_t *plane, std::size_t height, std::size_t width, const std::vector<Taps> &lines,
                              const std::vector<Taps> &columns) {
  std::vector<double> rows(height * columns.size()), result(lines.size() * columns.size());
  double *out = rows.data();
  for (std::size_t y = 0; y < height; ++y)
    for (const Taps &t : columns) {
      const std::uint8_t *in = plane + y * width + t.first;
      double sum = 0;
      for (double w : t.weights) sum += w * *in++;
      *out++ = sum;
    }
  out = result.data();
  for (const Taps &t : lines)
    for (std::size_t x = 0; x < columns.size(); ++x) {
      double sum = 0;
      for (std::size_t j = 0; j < t.weights.size(); ++j) sum += t.weights[j] * rows[(t.first + j) * columns.size() + x];
      *out++ = sum;
    }
  return result;
}

std::vector<double> resampledPlane(const Picture &p, std::size_t c, const std::vector<Taps> &lines, const std::vector<Taps> &columns) {
  return resampled(p.planes.data() + c * p.height * p.width, p.height, p.width, lines, columns);
}

} // namespace

std::uint8_t roundedByte(double value) { return static_cast<std::uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0)); }

Picture planesOf(const Image &image) {
  Picture p{3, image.height, image.width, std::vector<std::uint8_t>(image.rgb.size())};
  const std::size_t pixels = image.height * image.width;
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c) p.planes[c * pixels + i] = image.rgb[i * 3 + c];
  return p;
}

Picture resized(const Picture &p, std::size_t height, std::size_t width) {
  if (p.height == height && p.width == width) return p;
  const std::vector<Taps> lines = tapsFor(p.height, height, scaleOf(p.height, height)),
                          columns = tapsFor(p.width, width, scaleOf(p.width, width));
  Picture result{p.channels, height, width, {}};
  for (std::size_t c = 0; c < p.channels; ++c)
    for (double value : resampledPlane(p, c, lines, columns)) result.planes.push_back(roundedByte(value));
  return result;
}

std::vector<std::uint8_t> centrePart(const Picture &p, std::size_t channels, std::size_t height, std::size_t width) {
  if (p.channels == channels && p.height == height && p.width == width) return p.planes;
  const double scale = std::min(scaleOf(p.height, height), scaleOf(p.width, width));
  const std::vector<Taps> lines = tapsFor(p.height, height, scale), columns = tapsFor(p.width, width, scale);
  std::vector<std::vector<double>> planes;
  for (std::size_t c = 0; c < p.channels; ++c) planes.push_back(resampledPlane(p, c, lines, columns));
  if (channels == 3 && planes.size() == 1) planes.assign(3, planes[0]);
  std::vector<std::uint8_t> bytes;
  bytes.reserve(channels * height * width);
  if (channels == 1 && planes.size() == 3)
    for (std::size_t i = 0; i < height * width; ++i)
      bytes.push_back(roundedByte(0.299 * planes[0][i] + 0.587 * planes[1][i] + 0.114 * planes[2][i]));
  else
    for (const std::vector<double> &plane : planes)
      for (double value : plane) bytes.push_back(roundedByte(value));
  return bytes;
}

} // namespace netc::driver
