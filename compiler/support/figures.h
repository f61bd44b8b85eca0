// Numbers as people read them.
#pragma once

#include <cstddef>
#include <string>

namespace netc {

/// "0.0598"; "3.2e+31" where four decimals would be a row of digits; "nan" without a sign.
std::string figure(double);

/// "0.0597912", with six digits; "nan" without a sign.
std::string shortFigure(double);

/// "6.9 MB", "0.4 kB"
std::string bytesText(std::size_t);

/// In quotes; what no terminal may show stands as \\x1f there, too.
std::string jsonString(const std::string &);

/// JSON has no infinities and no NaN: null.
std::string jsonNumber(double);

} // namespace netc
