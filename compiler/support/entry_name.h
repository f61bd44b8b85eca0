// The names of entry points. What a training plan adds carries the plan's name in front: "head.trainStep" is the entry
// trainStep of the plan head; the entries of the plan without a name, and those of no plan, have none.
#pragma once

#include <string>
#include <string_view>

namespace netc {

/// "trainStep" of "head.trainStep"
constexpr std::string_view roleOf(std::string_view entry) { return entry.substr(entry.rfind('.') + 1); }

/// "head" of "head.trainStep"; empty for "trainStep"
constexpr std::string_view planOf(std::string_view entry) {
  const std::size_t dot = entry.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : entry.substr(0, dot);
}

/// "head.apply", of "head.accumulate" and "apply"
inline std::string besides(std::string_view entry, std::string_view role) {
  return std::string(entry.substr(0, entry.rfind('.') + 1)).append(role);
}

/// Whether the entry has losses and gradients.
constexpr bool isTraining(std::string_view entry) { return roleOf(entry) == "trainStep" || roleOf(entry) == "accumulate"; }

} // namespace netc
