#include "compiler/support/targets.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace netc {

namespace {

constexpr Architecture x86{"x86-64", "__x86_64__", "x86_64-pc-linux-gnu"};
constexpr Architecture arm{"aarch64", "__aarch64__", "aarch64-unknown-linux-gnu"};
constexpr std::int64_t KiB = 1 << 10;

// The caches are those of common server cores; the cost model only asks what surely fits.
const Target rows[] = {
    {"x86-64-v4", &x86, /*lanes=*/16, /*registers=*/32, /*multiplyAdds=*/2, 48 * KiB, 1024 * KiB}, // AVX-512
    {"x86-64-v3", &x86, /*lanes=*/8, /*registers=*/16, /*multiplyAdds=*/2, 48 * KiB, 1024 * KiB},  // AVX2
    {"aarch64", &arm, /*lanes=*/4, /*registers=*/32, /*multiplyAdds=*/2, 64 * KiB, 1024 * KiB},    // NEON
};

/// The name of this machine's best row.
const char *hostTarget() {
#if defined(__aarch64__)
  return "aarch64";
#else
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") ? "x86-64-v4" : "x86-64-v3";
#endif
}

} // namespace

std::span<const Target> targetTable() { return rows; }

std::vector<std::string> targetNames() {
  std::vector<std::string> names;
  for (const Target &t : rows) names.push_back(t.name);
  names.emplace_back("native");
  return names;
}

std::string describedTarget(const std::string &name) { return name.empty() || name == "native" ? hostTarget() : name; }

Target findTarget(const std::string &name) {
  const std::string described = describedTarget(name);
  for (Target t : rows) {
    if (t.name != described) continue;
    if (described != name) t.name = "native";
    return t;
  }
  throw UserError(fmt::format("unknown target '{}', expected one of {}", name, fmt::join(targetNames(), ", ")));
}

const Architecture &hostArchitecture() { return *findTarget("native").architecture; }

} // namespace netc
