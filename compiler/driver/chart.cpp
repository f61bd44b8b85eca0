#include "compiler/driver/chart.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace netc::driver {
namespace {

constexpr double width = 420, height = 240, left = 70, right = 10, top = 30, bottom = 30;
constexpr const char *colours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd"};

struct Range {
  double low = INFINITY, high = -INFINITY;

  void include(double v) {
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  /// 0 to 1; a range of one value has it in the middle.
  double place(double v) const { return high > low ? (v - low) / (high - low) : 0.5; }
};

double across(const Range &r, double v) { return left + r.place(v) * (width - left - right); }
double upward(const Range &r, double v) { return height - bottom - r.place(v) * (height - top - bottom); }

/// The pieces between the gaps; a point alone is a dot.
std::string line(const Series &s, const std::vector<double> &x, const Range &xs, const Range &ys, const char *colour) {
  std::string text, points;
  for (std::size_t i = 0; i <= s.values.size(); ++i) {
    if (i < s.values.size() && std::isfinite(s.values[i])) {
      points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", across(xs, x[i]), upward(ys, s.values[i]));
      text += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\" fill=\"{}\"/>", across(xs, x[i]), upward(ys, s.values[i]), colour);
    } else if (!points.empty()) {
      text += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", points, colour);
      points.clear();
    }
  }
  return text;
}

} // namespace

std::string htmlText(const std::string &text) {
  std::string out;
  for (char c : visible(text)) {
    if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '&') out += "&amp;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

std::string chart(const std::vector<Series> &all, const std::vector<double> &x) {
  Range xs, ys;
  for (double v : x) xs.include(v);
  for (const Series &s : all)
    for (double v : s.values) ys.include(v);
  if (!std::isfinite(ys.low)) return ""; // nothing to show
  std::string text = fmt::format("<figure><svg width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\" "
                                 "font-size=\"12\" font-family=\"sans-serif\">\n", width, height, width, height);
  double labelAt = left;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const char *colour = colours[i % std::size(colours)];
    text += fmt::format("<text x=\"{}\" y=\"16\" fill=\"{}\" font-weight=\"bold\">{}</text>\n", labelAt, colour, htmlText(all[i].name));
    labelAt += 9.0 * static_cast<double>(all[i].name.size()) + 16;
    text += line(all[i], x, xs, ys, colour);
  }
  text += fmt::format("<path d=\"M{0} {1}V{2}H{3}\" fill=\"none\" stroke=\"#888\"/>\n", left, top, height - bottom, width - right);
  for (double v : {ys.low, (ys.low + ys.high) / 2, ys.high})
    text += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 6, upward(ys, v) + 4,
                        std::fabs(v) < 1e4 || std::fabs(v) >= 1e8 ? fmt::format("{:.4g}", v) : fmt::format("{:.0f}", v));
  for (double v : {xs.low, xs.high})
    text += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:g}</text>\n", across(xs, v), height - 12, v);
  return text + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">epoch</text>\n</svg></figure>\n", (left + width - right) / 2, height - 12);
}

std::string pixels(const float *values, std::size_t planes, std::size_t rows, std::size_t columns, std::size_t size) {
  Range range;
  std::size_t plane = rows * columns;
  for (std::size_t i = 0; i < planes * plane; ++i) range.include(values[i]);
  std::string text = fmt::format("<svg width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" xmlns=\"http://www.w3.org/2000/svg\">", columns * size, rows * size);
  for (std::size_t i = 0; i < plane; ++i) {
    int rgb[3];
    for (std::size_t c = 0; c < 3; ++c) rgb[c] = static_cast<int>(std::lround(255 * range.place(values[(planes == 3 ? c : 0) * plane + i])));
    text += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"#{:02x}{:02x}{:02x}\"/>", i % columns * size, i / columns * size,
                        size, size, rgb[0], rgb[1], rgb[2]);
  }
  return text + "</svg>\n";
}

} // namespace netc::driver
