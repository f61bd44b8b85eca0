#include "compiler/codegen/shared_kernels.h"

#include "compiler/loop/kernel_key.h"
#include "compiler/support/in_parallel.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace netc::codegen {

using namespace loop;

namespace {

/// Kernels with one key.
struct Alike {
  std::vector<KernelIndex> kernels;
  std::vector<std::vector<int>> buffers, scalars; // of each kernel
};

} // namespace

SharedKernels::SharedKernels(const Program &program) {
  std::unordered_map<std::string, std::size_t> known;
  std::vector<Alike> all;
  for (std::size_t e = 0; e < program.entries.size(); ++e) {
    const Entry &entry = program.entries[e];
    kernels.emplace_back(entry.kernels.size());
    for (std::size_t k = 0; k < entry.kernels.size(); ++k) {
      KernelKey key = keyOf(entry, entry.kernels[k]);
      const auto [at, isNew] = known.try_emplace(std::move(key.words), all.size());
      if (isNew) all.emplace_back();
      Alike &alike = all[at->second];
      alike.kernels.push_back({static_cast<int>(e), static_cast<int>(k)});
      alike.buffers.push_back(std::move(key.buffers));
      alike.scalars.push_back(std::move(key.scalars));
    }
  }
  for (const Alike &alike : all) {
    const KernelIndex function = alike.kernels.front();
    PlacesRead read;
    std::vector<std::vector<std::int64_t>> places(alike.kernels.size());
    // For each buffer or scalar `i` in order of use: `of(k)` is its place in kernel k.
    const auto compare = [&](int index, std::map<int, int> &positions, const auto &of) {
      bool differs = false;
      for (std::size_t k = 1; k < alike.kernels.size(); ++k) differs |= of(k) != of(0);
      if (!differs) return;
      positions[index] = static_cast<int>(places[0].size());
      for (std::size_t k = 0; k < alike.kernels.size(); ++k) places[k].push_back(of(k));
    };
    for (std::size_t i = 0; i < alike.buffers[0].size(); ++i)
      compare(alike.buffers[0][i], read.buffers,
              [&](std::size_t k) { return program.entries[alike.kernels[k].entry].buffers[alike.buffers[k][i]].place; });
    for (std::size_t i = 0; i < alike.scalars[0].size(); ++i)
      compare(alike.scalars[0][i], read.scalars, [&](std::size_t k) { return std::int64_t{alike.scalars[k][i]}; });
    for (std::size_t k = 0; k < alike.kernels.size(); ++k)
      kernels[alike.kernels[k].entry][alike.kernels[k].kernel] = {function, {}, std::move(places[k])};
    kernels[function.entry][function.kernel].read = std::move(read);
  }
}

std::vector<SharedKernels> sharedKernels(const std::vector<Program> &programs) {
  std::vector<SharedKernels> all(programs.size());
  inParallel(programs.size(), [&](std::size_t i) { all[i] = SharedKernels(programs[i]); });
  return all;
}

KernelIndex SharedKernels::functionOf(KernelIndex k) const { return at(k).function; }
const PlacesRead &SharedKernels::placesRead(KernelIndex k) const { return at(k).read; }
const std::vector<std::int64_t> &SharedKernels::places(KernelIndex k) const { return at(k).places; }

} // namespace netc::codegen
