#include "../exact.h"

#include "render.h"

#include "netc/random.h"
#include "strokes.h"

#include <cmath>

namespace netc::data {
namespace {

constexpr int pixelCount = digitSize * digitSize;

// How hard the set is: a linear classifier must stay far below a convolutional network.
constexpr double jitter = 0.05; // of each point of a stroke, in units of the digit's box
constexpr double minHeight = 15, maxHeight = 21;
constexpr double minAspect = 0.55, maxAspect = 0.95;
constexpr double maxTurn = 0.18;  // tangent of the rotation
constexpr double maxSlant = 0.25; // tangent
constexpr double maxShift = 1.7;  // pixels
constexpr double minRadius = 0.7, maxRadius = 1.7;
constexpr double occludedShare = 0.35; // of the images
constexpr double clutteredShare = 0.35;
constexpr double maxNoise = 0.16; // standard deviation, of the range of a pixel

class Random {
 public:
  explicit Random(std::uint64_t index) : key_(threefry(streamKey(0, "built-in digits"), index)) {}
  double uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(threefry(key_, counter_++) >> 40) * 0x1p-24);
  }
  int below(int bound) { return static_cast<int>(uniform(0, bound)); }
  bool chance(double share) { return uniform(0, 1) < share; }
  double bell() { // the sum of three uniform numbers of -1 to 1: standard deviation 1
    std::uint64_t word = threefry(key_, counter_++), mask = 0x1fffff;
    return static_cast<double>((word & mask) + (word >> 21 & mask) + (word >> 42 & mask)) * 0x1p-20 - 3;
  }

 private:
  std::uint64_t key_, counter_ = 0;
};

struct Transform {
  double xx, xy, yx, yy, x, y;
  Point operator()(Point p) const { return {xx * p.x + xy * p.y + x, yx * p.x + yy * p.y + y}; }
};

Transform randomTransform(Random &random) {
  double height = random.uniform(minHeight, maxHeight), width = height * random.uniform(minAspect, maxAspect);
  double turn = random.uniform(-maxTurn, maxTurn), slant = random.uniform(-maxSlant * 0.4, maxSlant);
  double norm = 1 / std::sqrt(1 + turn * turn);
  double cosine = norm, sine = turn * norm;
  // scale, then slant (x -= slant*y), then rotate, about the box's centre
  Transform t{cosine * width,
              -cosine * slant * height - sine * height,
              sine * width,
              cosine * height - sine * slant * height,
              0,
              0};
  Point centre = t({0.5, 0.5});
  t.x = digitSize / 2.0 + random.uniform(-maxShift, maxShift) - centre.x;
  t.y = digitSize / 2.0 + random.uniform(-maxShift, maxShift) - centre.y;
  return t;
}

// The least squared distance of each pixel to what was drawn so far.
class Canvas {
 public:
  explicit Canvas(double radius) : radius_(radius) {
    for (double &d : squared_)
      d = far;
  }

  void line(Point a, Point b) {
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy, reach = radius_ + 1;
    int left = clip((a.x < b.x ? a.x : b.x) - reach), right = clip((a.x < b.x ? b.x : a.x) + reach);
    int top = clip((a.y < b.y ? a.y : b.y) - reach), bottom = clip((a.y < b.y ? b.y : a.y) + reach);
    for (int i = top; i <= bottom; ++i)
      for (int j = left; j <= right; ++j) {
        double px = j + 0.5 - a.x, py = i + 0.5 - a.y;
        double along = length > 0 ? (px * dx + py * dy) / length : 0;
        along = along < 0 ? 0 : along > 1 ? 1 : along;
        double ex = px - along * dx, ey = py - along * dy, d = ex * ex + ey * ey;
        double &best = squared_[i * digitSize + j];
        best = d < best ? d : best;
      }
  }

  void stroke(const Stroke &stroke, const Point *points) {
    constexpr int pieces = 6; // of the curve between two points
    for (int i = 0; i + 1 < stroke.count; ++i) {
      Point from = points[i];
      for (int k = 1; k <= pieces && stroke.smooth; ++k) {
        Point to = curve(points, stroke.count, i, static_cast<double>(k) / pieces);
        line(from, to);
        from = to;
      }
      if (!stroke.smooth) line(from, points[i + 1]);
    }
  }

  /// 0 to 1, with a soft edge of one pixel.
  double coverage(int pixel) const {
    double c = radius_ + 0.5 - std::sqrt(squared_[pixel]);
    return c < 0 ? 0 : c > 1 ? 1 : c;
  }

 private:
  static constexpr double far = 1e9;

  static int clip(double x) { return x < 0 ? 0 : x > digitSize - 1 ? digitSize - 1 : static_cast<int>(x); }

  // The Catmull-Rom curve between points i and i+1; at the ends, the neighbour is the end itself.
  static Point curve(const Point *p, int count, int i, double t) {
    Point a = p[i > 0 ? i - 1 : 0], b = p[i], c = p[i + 1], d = p[i + 2 < count ? i + 2 : i + 1];
    double wa = ((2 - t) * t - 1) * t / 2, wb = ((3 * t - 5) * t * t + 2) / 2,
           wc = ((4 - 3 * t) * t + 1) * t / 2, wd = (t - 1) * t * t / 2;
    return {wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y};
  }

  double radius_;
  double squared_[pixelCount];
};

int chooseShape(int digit, Random &random) {
  int first = 0, count = 0;
  while (digitShapes[first].digit != digit)
    ++first;
  while (first + count < shapeCount && digitShapes[first + count].digit == digit)
    ++count;
  return first + random.below(count);
}

void drawDigit(int digit, Random &random, double *image) {
  const DigitShape &shape = digitShapes[chooseShape(digit, random)];
  Transform transform = randomTransform(random);
  Canvas canvas(random.uniform(minRadius, maxRadius));
  for (int s = 0; s < shape.strokeCount; ++s) {
    const Stroke &stroke = shape.strokes[s];
    Point points[14];
    for (int i = 0; i < stroke.count; ++i)
      points[i] = transform({stroke.points[i].x + random.uniform(-jitter, jitter),
                             stroke.points[i].y + random.uniform(-jitter, jitter)});
    canvas.stroke(stroke, points);
  }
  double ink = random.uniform(0.6, 1);
  for (int i = 0; i < pixelCount; ++i)
    image[i] = ink * canvas.coverage(i);
}

// A bar of background colour over the digit.
void occlude(Random &random, double *image) {
  int size = 2 + random.below(3), at = 4 + random.below(digitSize - 8 - size);
  int from = random.below(digitSize - 8), to = from + 8 + random.below(8);
  bool upright = random.chance(0.5);
  for (int i = at; i < at + size; ++i)
    for (int j = from; j < to && j < digitSize; ++j)
      image[upright ? j * digitSize + i : i * digitSize + j] = 0;
}

// A thin stray line, fainter than the digit.
void clutter(Random &random, double *image) {
  Canvas canvas(random.uniform(0.3, 0.7));
  Point from{random.uniform(0, digitSize), random.uniform(0, digitSize)};
  canvas.line(from, {from.x + random.uniform(-9, 9), from.y + random.uniform(-9, 9)});
  double ink = random.uniform(0.3, 0.7);
  for (int i = 0; i < pixelCount; ++i) {
    double drawn = ink * canvas.coverage(i);
    image[i] = drawn > image[i] ? drawn : image[i];
  }
}

} // namespace

int renderDigit(std::uint64_t index, std::uint8_t *pixels) {
  Random random(index);
  int digit = random.below(10);
  double image[pixelCount];
  drawDigit(digit, random, image);
  if (random.chance(occludedShare)) occlude(random, image);
  if (random.chance(clutteredShare)) clutter(random, image);
  double noise = random.uniform(0, maxNoise);
  for (int i = 0; i < pixelCount; ++i) {
    double value = image[i] + noise * random.bell();
    value = value < 0 ? 0 : value > 1 ? 1 : value;
    pixels[i] = static_cast<std::uint8_t>(value * 255 + 0.5);
  }
  return digit;
}

} // namespace netc::data
