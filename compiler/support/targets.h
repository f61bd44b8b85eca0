// The machines that netc compiles for, in one table: what all stages know of a target stands in its row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace netc {

struct Architecture {
  const char *name;
  const char *macro;  // that its C++ compilers define
  const char *triple; // as LLVM spells it
};

struct Target {
  std::string name; // of --target, and in the tables of a model: "x86-64-v4"
  const Architecture *architecture = nullptr;
  int lanes = 16;                         // f32 that a vector register holds
  int registers = 32;                     // vector registers
  int multiplyAdds = 2;                   // of whole vectors, begun in a cycle
  std::int64_t l1 = 0, l2 = 0;            // bytes of the nearest two caches, for data, of one core
  int registersPerVector() const { return 16 / lanes; } // machine registers that hold one of the loop IR
};

/// The rows, of each architecture the best first; "native", which is not among them, is a name for what this machine has.
std::span<const Target> targetTable();
/// All names, as --target takes them.
std::vector<std::string> targetNames();

/// The row that a name stands for: itself, of "native" or "" the best that this machine runs.
std::string describedTarget(const std::string &name);

/// By name. "native", also the empty string, is described by the best row that this machine runs. Throws UserError.
Target findTarget(const std::string &name);

/// Of the machine that netc runs on.
const Architecture &hostArchitecture();

} // namespace netc
