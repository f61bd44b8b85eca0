// The library that is written in the language itself (dsl/prelude/*.net), embedded by CMake.
#pragma once

#include <span>
#include <string_view>

namespace netc::dsl {

struct PreludeFile {
  std::string_view name; // "prelude/layers.net"
  std::string_view text;
};

std::span<const PreludeFile> preludeFiles();

} // namespace netc::dsl
