// netc explain --format=html: one page on which a source line, its formulas, the chain rule's steps, the passes' rewrites, the kernels
// with their loops and times, and the places in memory link to each other.
#pragma once

#include "compiler/driver/options.h"
#include "compiler/explain/explain.h"
#include "compiler/graph/graph.h"

#include <string>
#include <vector>

namespace netc::driver {

/// `derivation`: of the entry of the source module, with its anchors. Compiles the model for this machine and measures a step.
std::string explainPage(const Options &, const graph::Module &source, const graph::Graph &entry, const std::string &derivation,
                        const std::vector<explain::Anchor> &);

} // namespace netc::driver
