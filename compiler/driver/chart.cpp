#include "compiler/driver/chart.h"

#include "compiler/driver/images/image.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

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
  /// Values at these places; one, if there is but one.
  std::vector<double> ticks(std::initializer_list<double> places) const {
    if (!(high > low)) return {low};
    std::vector<double> values;
    for (double at : places) values.push_back(low + at * (high - low));
    return values;
  }
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

std::string base64(const std::string &bytes) {
  constexpr const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= here ? digits[group >> (18 - 6 * k) & 63] : '=';
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
  for (double v : ys.ticks({0, 0.5, 1}))
    text += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 6, upward(ys, v) + 4,
                        std::fabs(v) < 1e4 || std::fabs(v) >= 1e8 ? fmt::format("{:.4g}", v) : fmt::format("{:.0f}", v));
  const std::vector<double> epochs = xs.ticks({0, 1});
  for (double v : epochs)
    text += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}{:g}</text>\n", across(xs, v), height - 12,
                        epochs.size() == 1 ? "epoch " : "", v);
  if (epochs.size() > 1)
    text += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">epoch</text>\n", (left + width - right) / 2, height - 12);
  return text + "</svg></figure>\n";
}

std::string pixels(const float *values, std::size_t planes, std::size_t rows, std::size_t columns, std::size_t shown) {
  Range range;
  std::size_t plane = rows * columns;
  for (std::size_t i = 0; i < planes * plane; ++i) range.include(values[i]);
  Image image = emptyImage(columns, rows);
  for (std::size_t i = 0; i < 3 * plane; ++i) {
    double value = values[(planes == 3 ? i % 3 : 0) * plane + i / 3];
    image.rgb[i] = std::isfinite(value) ? static_cast<std::uint8_t>(std::lround(255 * range.place(value))) : 0;
  }
  return fmt::format("<img width=\"{}\" height=\"{}\" alt=\"\" src=\"data:image/png;base64,{}\">\n", shown, shown * rows / columns,
                     base64(encodePng(image)));
}

} // namespace netc::driver
