// Which registers of a kernel hold nothing but constants. Compilers would compute with those themselves, without flushing
// denormals, so the back ends hide them.
#pragma once

#include "compiler/loop/slots.h"

#include <vector>

namespace netc::codegen {

/// Of an unrolled kernel.
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
  const loop::Slots slots;
  std::vector<bool> changing; // by slot: is assigned something else than constants
};

} // namespace netc::codegen
