// Kernels of a program that are one function, since they have the same key (loop/kernel_key.h). The function reads where the
// buffers lie and which scalars it takes from the places of the stage (netc/abi.h) that it runs for, if that differs; all else is
// constant in it.
#pragma once

#include "compiler/loop/loop.h"

#include <compare>
#include <map>
#include <vector>

namespace netc::codegen {

/// A kernel of a program.
struct KernelIndex {
  int entry = 0, kernel = 0;
  auto operator<=>(const KernelIndex &) const = default;
};

/// What a kernel's function reads from the places of its stage: the position there, by buffer and scalar of its entry.
struct PlacesRead {
  std::map<int, int> buffers, scalars;
};

class SharedKernels {
public:
  SharedKernels() = default;
  explicit SharedKernels(const loop::Program &);

  /// The first kernel with the same code, whose function this one runs; itself if there is none before it.
  KernelIndex functionOf(KernelIndex) const;
  /// Of a kernel that is its own function.
  const PlacesRead &placesRead(KernelIndex) const;
  /// The places of a kernel's stage, as its function reads them.
  const std::vector<std::int64_t> &places(KernelIndex) const;

private:
  struct Kernel {
    KernelIndex function;
    PlacesRead read;
    std::vector<std::int64_t> places;
  };
  const Kernel &at(KernelIndex k) const { return kernels[k.entry][k.kernel]; }

  std::vector<std::vector<Kernel>> kernels; // by entry
};

/// Of each program.
std::vector<SharedKernels> sharedKernels(const std::vector<loop::Program> &);

} // namespace netc::codegen
