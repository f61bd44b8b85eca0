#include "compiler/support/figures.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <cmath>

namespace netc {

// The sign bit of a NaN means nothing.
std::string figure(double v) {
  constexpr double mostPlain = 1e4;
  if (std::isnan(v)) return "nan";
  return std::fabs(v) < mostPlain ? fmt::format("{:.4f}", v) : fmt::format("{:.4g}", v);
}

std::string shortFigure(double v) { return std::isnan(v) ? "nan" : fmt::format("{:.6g}", v); }

std::string bytesText(std::size_t bytes) {
  auto b = static_cast<double>(bytes);
  return b < 1e5 ? fmt::format("{:.1f} kB", b / 1e3) : fmt::format("{:.1f} MB", b / 1e6);
}

std::string jsonString(const std::string &text) {
  std::string quoted = "\"";
  for (char c : visible(text)) quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
  return quoted + "\"";
}

std::string jsonNumber(double v) { return std::isfinite(v) ? fmt::format("{:.9g}", v) : "null"; }

} // namespace netc
