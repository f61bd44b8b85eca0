// Constants as C++ text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace netc::codegen {

std::string floatLiteral(double); // rounded to float: "0.5f"
std::string doubleLiteral(double);
std::string intLiteral(std::int64_t); // also the smallest
std::string stringLiteral(std::string_view);

} // namespace netc::codegen
