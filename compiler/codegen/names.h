// Names for generated C++: identifiers, unique in their scope, and none that the language or netc's headers use.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

namespace netc::codegen {

class Names {
public:
  /// An unused identifier like `wanted`; in use from now on.
  std::string take(std::string_view wanted);
  void release(const std::string &name) { taken.erase(name); }

private:
  std::unordered_set<std::string> taken;
};

} // namespace netc::codegen
