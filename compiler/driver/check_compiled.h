// The compiled code of a model against the reference evaluator: what `netc check` says about code, not about gradients.
#pragma once

#include "compiler/driver/options.h"
#include "compiler/graph/graph.h"

namespace netc::driver {

/// That of training, or else the first entry with a loss; null: there is none.
const graph::Graph *entryWithLoss(const graph::Module &);

/// Runs every entry of the module (as written, gradients still placeholders) in compiled code, and one more that gives
/// all gradients, on a made-up batch; compares outputs, losses, metrics, gradients and updated parameters with the
/// float64 evaluator, which sees the source's formulas before any pass, and prints the largest difference of each tensor
/// in units of the last place (of float32) of the tensor's largest value, beside what the float32 evaluator has.
///
/// Every value must lie within the bound that running error analysis (evaluateWithBound) gives, where the entry is small
/// enough for that; no tensor may be off by more than 16 times (4 ulp + what the float32 evaluator is off by), and no
/// update by more than a thousandth of the largest change. A comparison or a maximum that falls differently in float32 can
/// cause the latter two: then another batch is drawn, up to twice. True if all is well.
bool checkCompiled(const graph::Module &source, const Options &);

} // namespace netc::driver
