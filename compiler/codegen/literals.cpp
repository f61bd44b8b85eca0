#include "compiler/codegen/literals.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace netc::codegen {

namespace {

/// The shortest digits that read back as the same number, with a decimal point or an exponent.
template <class Real> std::string digits(Real v) {
  std::string s = fmt::format("{}", v);
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  return s;
}

} // namespace

std::string floatLiteral(double value) {
  const auto v = static_cast<float>(value);
  if (std::isnan(v)) return "std::numeric_limits<float>::quiet_NaN()";
  if (std::isinf(v)) return v < 0 ? "-std::numeric_limits<float>::infinity()" : "std::numeric_limits<float>::infinity()";
  return digits(v) + "f";
}

std::string doubleLiteral(double v) {
  if (std::isnan(v)) return "std::numeric_limits<double>::quiet_NaN()";
  if (std::isinf(v)) return v < 0 ? "-std::numeric_limits<double>::infinity()" : "std::numeric_limits<double>::infinity()";
  return digits(v);
}

std::string intLiteral(std::int64_t v) {
  if (v == std::numeric_limits<std::int64_t>::min()) return "INT64_MIN";
  if (v == std::numeric_limits<std::int32_t>::min()) return "INT32_MIN"; // -2147483648 is a long
  return fmt::format("{}", v);
}

std::string stringLiteral(std::string_view s) {
  std::string text = "\"";
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') text += fmt::format("\\{}", c);
    else if (u < 32 || u == '?' || u >= 127) text += fmt::format("\\{:03o}", u); // '?': no trigraphs
    else text += c;
  }
  return text + "\"";
}

} // namespace netc::codegen
