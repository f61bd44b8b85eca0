// C++ names for the things of a kernel: identifiers, unique, and none that the language or netc/simd.h uses.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace netc::codegen {

class Names {
public:
  Names();
  /// An unused identifier like `wanted`; in use from now on.
  std::string take(std::string_view wanted);
  void release(const std::string &name) { taken.erase(name); }

private:
  std::set<std::string> taken;
};

} // namespace netc::codegen
