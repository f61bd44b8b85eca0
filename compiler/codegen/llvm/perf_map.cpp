#include "compiler/codegen/llvm/perf_map.h"

#include <fmt/format.h>
#include <netc/abi.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <string>
#include <unistd.h>

namespace netc::codegen {

void writePerfMap(const NetcModel &model) {
  if (!std::getenv("NETC_PERF_MAP")) return;
  std::map<std::uintptr_t, std::string> kernels; // by address; entries may share some
  for (std::int64_t e = 0; e < model.targets[0].entryCount; ++e) {
    const NetcEntry &entry = model.targets[0].entries[e];
    for (std::int64_t s = 0; s < entry.stageCount; ++s)
      kernels[reinterpret_cast<std::uintptr_t>(entry.stages[s].run)] =
          fmt::format("{}.{}.{}", model.name, entry.name, entry.stages[s].name);
  }
  std::FILE *file = std::fopen(fmt::format("/tmp/perf-{}.map", ::getpid()).c_str(), "a"); // a process may hold several models
  if (!file) return;
  constexpr std::uintptr_t longest = 1 << 16; // nobody knows where a kernel ends: at the latest where the next begins
  for (auto k = kernels.begin(); k != kernels.end(); ++k) {
    auto next = std::next(k);
    std::uintptr_t size = next == kernels.end() ? longest : std::min(longest, next->first - k->first);
    fmt::print(file, "{:x} {:x} {}\n", k->first, size, k->second);
  }
  std::fclose(file);
}

} // namespace netc::codegen
