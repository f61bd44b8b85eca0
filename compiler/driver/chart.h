// Small pictures for a page.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace netc::driver {

struct Series {
  std::string name;
  std::vector<double> values; // those that are not finite are gaps
};

/// A figure with a line for each series over the same `x`.
std::string chart(const std::vector<Series> &, const std::vector<double> &x);

/// One or three planes of height * width values, from black (the least) to white, `shown` pixels wide.
std::string pixels(const float *values, std::size_t planes, std::size_t height, std::size_t width, std::size_t shown);

/// The text as HTML and SVG take it.
std::string htmlText(const std::string &);

} // namespace netc::driver
