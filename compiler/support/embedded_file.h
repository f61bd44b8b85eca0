// Text that is part of the binary, put there by CMake (embed_files.cmake).
#pragma once

#include <span>
#include <string_view>

namespace netc {

struct EmbeddedFile {
  std::string_view name; // a path: "prelude/layers.net"
  std::string_view text;
};

} // namespace netc
