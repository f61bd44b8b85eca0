#include "compiler/driver/images/transforms.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace netc::driver {
namespace {

using Kind = Transform::Kind;

long whole(const Transform &t, std::size_t argument, std::size_t i) { return static_cast<long>(t.arguments[argument][i]); }

/// A part of the picture; what lies beyond its edges is `fill`.
Picture part(const Picture &p, long top, long left, long height, long width, std::uint8_t fill) {
  Picture result{p.channels, static_cast<std::size_t>(height), static_cast<std::size_t>(width), {}};
  result.planes.assign(p.channels * result.height * result.width, fill);
  const long ph = static_cast<long>(p.height), pw = static_cast<long>(p.width);
  const long begin = std::clamp(left, 0L, pw), end = std::clamp(left + width, begin, pw); // the columns that there are
  for (std::size_t c = 0; c < p.channels; ++c)
    for (long y = std::max(0L, -top); y < height && top + y < ph; ++y) {
      const std::uint8_t *from = p.planes.data() + (static_cast<long>(c) * ph + top + y) * pw;
      std::copy(from + begin, from + end, result.planes.data() + (static_cast<long>(c) * height + y) * width + (begin - left));
    }
  return result;
}

/// torchvision rounds half a pixel to the even number.
long middle(std::size_t all, long taken) { return std::lrint((static_cast<double>(all) - static_cast<double>(taken)) / 2); }

Picture centre(const Picture &p, long height, long width) {
  return part(p, middle(p.height, height), middle(p.width, width), height, width, 0);
}

Picture pad(const Picture &p, const std::vector<double> &border, double fill) { // left, top, right, bottom
  const auto b = [&](std::size_t i) { return static_cast<long>(border[i]); };
  return part(p, -b(1), -b(0), static_cast<long>(p.height) + b(1) + b(3), static_cast<long>(p.width) + b(0) + b(2),
              static_cast<std::uint8_t>(fill));
}

Picture randomCrop(const Picture &p, const Transform &t, Draws *draws) {
  const long height = whole(t, 0, 0), width = whole(t, 0, 1);
  if (!draws) return centre(p, height, width);
  const long space = static_cast<long>(p.height) + whole(t, 1, 1) + whole(t, 1, 3) - height;
  const long across = static_cast<long>(p.width) + whole(t, 1, 0) + whole(t, 1, 2) - width;
  const long top = static_cast<long>(draws->below(static_cast<std::size_t>(space + 1)));
  const long left = static_cast<long>(draws->below(static_cast<std::size_t>(across + 1)));
  return part(p, top - whole(t, 1, 1), left - whole(t, 1, 0), height, width, static_cast<std::uint8_t>(t.arguments[2][0]));
}

struct Box {
  long top, left, height, width;
};

/// The largest part around the middle whose ratio of width to height is within the range.
Box middleBox(const Picture &p, double low, double high) {
  const double ratio = static_cast<double>(p.width) / static_cast<double>(p.height);
  long height = static_cast<long>(p.height), width = static_cast<long>(p.width);
  if (ratio < low) height = std::max(1L, std::lrint(static_cast<double>(width) / low));
  if (ratio > high) width = std::max(1L, std::lrint(static_cast<double>(height) * high));
  return {(static_cast<long>(p.height) - height) / 2, (static_cast<long>(p.width) - width) / 2, height, width};
}

/// Of ten draws the first that lies within the picture.
Box randomBox(const Picture &p, const std::vector<double> &share, const std::vector<double> &ratios, Draws &draws) {
  constexpr int tries = 10;
  const double area = static_cast<double>(p.height) * static_cast<double>(p.width);
  const long ph = static_cast<long>(p.height), pw = static_cast<long>(p.width);
  for (int i = 0; i < tries; ++i) {
    const double wanted = area * draws.between(share[0], share[1]);
    const double ratio = std::exp(draws.between(std::log(ratios[0]), std::log(ratios[1])));
    const long width = std::lrint(std::sqrt(wanted * ratio)), height = std::lrint(std::sqrt(wanted / ratio));
    if (width < 1 || height < 1 || width > pw || height > ph) continue;
    const long top = static_cast<long>(draws.below(static_cast<std::size_t>(ph - height + 1)));
    const long left = static_cast<long>(draws.below(static_cast<std::size_t>(pw - width + 1)));
    return {top, left, height, width};
  }
  return middleBox(p, ratios[0], ratios[1]);
}

Picture randomResizedCrop(const Picture &p, const Transform &t, Draws *draws) {
  const auto height = static_cast<std::size_t>(whole(t, 0, 0)), width = static_cast<std::size_t>(whole(t, 0, 1));
  const double proportion = static_cast<double>(width) / static_cast<double>(height);
  const Box b = draws ? randomBox(p, t.arguments[1], t.arguments[2], *draws) : middleBox(p, proportion, proportion);
  return resized(part(p, b.top, b.left, b.height, b.width, 0), height, width);
}

Picture flippedAcross(Picture p) {
  for (std::size_t row = 0; row < p.channels * p.height; ++row) {
    auto begin = p.planes.begin() + static_cast<std::ptrdiff_t>(row * p.width);
    std::reverse(begin, begin + static_cast<std::ptrdiff_t>(p.width));
  }
  return p;
}

Picture flippedDown(Picture p) {
  for (std::size_t c = 0; c < p.channels; ++c)
    for (std::size_t y = 0; y < p.height / 2; ++y) {
      auto row = [&](std::size_t i) { return p.planes.begin() + static_cast<std::ptrdiff_t>((c * p.height + i) * p.width); };
      std::swap_ranges(row(y), row(y + 1), row(p.height - 1 - y));
    }
  return p;
}

/// Real numbers in the range of bytes; one or three planes.
struct Colours {
  std::size_t channels, pixels;
  std::vector<float> values;

  float *plane(std::size_t c) { return values.data() + c * pixels; }
  float grey(std::size_t i) const {
    if (channels == 1) return values[i];
    return 0.299f * values[i] + 0.587f * values[pixels + i] + 0.114f * values[2 * pixels + i];
  }
};

float inRange(float x) { return std::clamp(x, 0.0f, 255.0f); }

void brighten(Colours &c, float factor) {
  for (float &x : c.values) x = inRange(factor * x);
}

void contrast(Colours &c, float factor) {
  double sum = 0;
  for (std::size_t i = 0; i < c.pixels; ++i) sum += c.grey(i);
  const float mean = static_cast<float>(sum / static_cast<double>(c.pixels));
  for (float &x : c.values) x = inRange(factor * x + (1 - factor) * mean);
}

void saturate(Colours &c, float factor) {
  if (c.channels == 1) return;
  for (std::size_t i = 0; i < c.pixels; ++i) {
    const float grey = c.grey(i);
    for (std::size_t k = 0; k < 3; ++k) c.plane(k)[i] = inRange(factor * c.plane(k)[i] + (1 - factor) * grey);
  }
}

/// Round the hexagon of hues by a part of a whole turn; the largest and the smallest colour stay what they are.
void turnHue(Colours &c, float turn) {
  if (c.channels == 1) return;
  for (std::size_t i = 0; i < c.pixels; ++i) {
    const float r = c.plane(0)[i], g = c.plane(1)[i], b = c.plane(2)[i];
    const float high = std::max({r, g, b}), range = high - std::min({r, g, b});
    if (range == 0) continue;
    float hue = high == r ? (g - b) / range : high == g ? 2 + (b - r) / range : 4 + (r - g) / range; // in sixths
    hue += 6 * turn;
    for (std::size_t k = 0; k < 3; ++k) { // red, green and blue are at their highest around 0, 2 and 4
      float away = hue - 2 * static_cast<float>(k);
      away = std::fabs(away - 6 * std::floor(away / 6 + 0.5f));
      c.plane(k)[i] = high - range * std::clamp(away - 1, 0.0f, 1.0f);
    }
  }
}

/// The four changes in a random order, each by a factor of its own; rounded at the end.
Picture jittered(Picture p, const Transform &t, Draws &draws) {
  std::array<std::size_t, 4> order = {0, 1, 2, 3};
  for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[draws.below(i + 1)]);
  std::array<float, 4> by;
  for (std::size_t i = 0; i < by.size(); ++i) by[i] = static_cast<float>(draws.between(t.arguments[i][0], t.arguments[i][1]));
  Colours colours{p.channels, p.height * p.width, {p.planes.begin(), p.planes.end()}};
  constexpr std::array changes = {brighten, contrast, saturate, turnHue};
  constexpr std::array neutral = {1.0f, 1.0f, 1.0f, 0.0f};
  for (std::size_t change : order)
    if (by[change] != neutral[change]) changes[change](colours, by[change]);
  std::transform(colours.values.begin(), colours.values.end(), p.planes.begin(), roundedByte);
  return p;
}

Picture step(Picture p, const Transform &t, Draws *draws) {
  std::string problem;
  const PictureSize to = sizeAfter(t, {static_cast<long>(p.height), static_cast<long>(p.width)}, problem);
  if (!problem.empty()) throw ImageError(problem);
  switch (t.kind) {
  case Kind::Resize: return resized(p, static_cast<std::size_t>(to.height), static_cast<std::size_t>(to.width));
  case Kind::CenterCrop: return centre(p, to.height, to.width);
  case Kind::Pad: return pad(p, t.arguments[0], t.arguments[1][0]);
  case Kind::RandomCrop: return randomCrop(p, t, draws);
  case Kind::RandomResizedCrop: return randomResizedCrop(p, t, draws);
  case Kind::RandomHorizontalFlip: return draws && draws->unit() < t.arguments[0][0] ? flippedAcross(std::move(p)) : p;
  case Kind::RandomVerticalFlip: return draws && draws->unit() < t.arguments[0][0] ? flippedDown(std::move(p)) : p;
  case Kind::ColorJitter: return draws ? jittered(std::move(p), t, *draws) : p;
  }
  internalError("unknown transform");
}

} // namespace

Picture transformed(Picture p, std::span<const Transform> steps, Draws *draws) {
  for (const Transform &t : steps) p = step(std::move(p), t, draws);
  return p;
}

} // namespace netc::driver
