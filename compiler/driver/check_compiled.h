// The compiled code of a model against the reference evaluator: what `netc check` says about code, not about gradients.
#pragma once

#include "compiler/driver/options.h"
#include "compiler/graph/graph.h"

#include <functional>

namespace netc::driver {

/// That of training, or else the first entry with a loss; null: there is none.
const graph::Graph *entryWithLoss(const graph::Module &);

/// Compiles the module (as written, gradients still placeholders) by LLVM and, from now on in the background, as C++, or by the one
/// back end that --engine names. A C++ compiler that is not there is a note in what is printed, or an error under --engine cpp.
///
/// The function that it gives runs every entry in compiled code, and one more that gives all gradients, on a made-up batch; compares
/// outputs, losses, metrics, gradients and updated parameters with the float64 evaluator, which sees the source's formulas before any
/// pass, and prints the largest difference of each tensor in units of the last place (of float32) of the tensor's largest value, beside
/// what the float32 evaluator has. Both back ends must give the same bits.
///
/// Every value must lie within the bound that running error analysis (evaluateWithBound) gives, where the entry is small
/// enough for that; no tensor may be off by more than 16 times (4 ulp + what the float32 evaluator is off by), and no
/// update by more than a thousandth of the largest change. A comparison or a maximum that falls differently in float32 can
/// cause the latter two: then another batch is drawn, up to twice. True if all is well.
std::function<bool()> compiledCheck(const graph::Module &source, const Options &);

} // namespace netc::driver
