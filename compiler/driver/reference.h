// --selftest: the formulas of a model as words of netc/self_test.h.
#pragma once

#include "compiler/codegen/model_tables.h"
#include "compiler/graph/graph.h"

namespace netc::driver {

/// Of a module on which no pass has run, before and after differentiation: the one knows whose the gradients are. `tensors`:
/// the model's, in the order of its tables.
codegen::Reference reference(const graph::Module &source, const graph::Module &differentiated, const std::vector<loop::Tensor> &tensors);

} // namespace netc::driver
