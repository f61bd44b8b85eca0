// Which registers of a kernel hold nothing but constants. Compilers would compute with those themselves, without flushing
// denormals, so the back ends hide them.
#pragma once

#include "compiler/loop/loop.h"

#include <set>
#include <utility>
#include <vector>

namespace netc::codegen {

/// One register of an array: its number and its indices. Requires unrolled kernels.
using Element = std::pair<int, std::vector<std::int64_t>>;
Element element(const loop::RegisterRef &);

class ConstantRegisters {
public:
  ConstantRegisters(const loop::Entry &, const loop::Kernel &);
  /// True for real arithmetic on constants only.
  bool isFoldable(const loop::Compute &) const;

private:
  void walk(const loop::Block &);
  bool isConstant(const loop::Operand &) const;
  bool areConstant(const std::vector<loop::Operand> &) const;

  const loop::Entry &entry;
  std::set<Element> changing; // elements that are assigned something else than constants
};

} // namespace netc::codegen
