// The shapes of the built-in digits: strokes in a unit box, x to the right, y down.
#pragma once

namespace netc::data {

struct Point {
  double x, y;
};

struct Stroke {
  bool smooth; // a curve through the points, else straight lines between them
  int count;
  Point points[14];
};

struct DigitShape {
  int digit;
  int strokeCount;
  Stroke strokes[3];
};

constexpr int shapeCount = 27;
/// Ordered by digit; each digit has two or three ways to be written.
extern const DigitShape digitShapes[shapeCount];

} // namespace netc::data
