// The language: .net text -> graph. One call; lexer, parser, AST, semantic analysis and elaboration are
// behind it.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace netc::dsl {

struct Options {
  std::int64_t batch = 64;                // the planned extent N
  std::map<std::string, std::string> set; // --set NAME=VALUE: overrides a const
  std::string plan{};                     // --plan NAME; empty: the plan without a name, else the first
  bool allPlans = false;                  // the others, too
  std::optional<std::string> augment{};   // --augment STEPS: in place of the file's data blocks
  bool predictOnly = false;               // the entry "predict" alone, and no state of an optimizer
};

/// Compiles a model. Entries of the result, each verified:
///  - "predict":   the `output`s, training = false
///  - "evaluate":  losses and metrics, training = false (when there is a loss or metric)
///  - "trainStep": losses, training = true, with a Gradient placeholder for each parameter that the plan
///    trains, the optimizer's formulas reading it, and the `next` updates (when there is a loss and a
///    `train`); not yet differentiated
///  - "accumulate" and "apply" in its place, when the plan says `every`: see graph::Graph::every
/// The entries of a plan that has a name carry it ("head.trainStep"); the first plan's stand before those of others.
/// All entries declare the same shared tensors. Empty after an error; several errors are reported in one run.
std::optional<graph::Module> compile(const std::string &text, const std::string &fileName, const Options &,
                                     Diagnostics &);

/// The syntax tree as indented text (--emit=ast); empty after an error.
std::string printAst(const std::string &text, const std::string &fileName, Diagnostics &);

/// The files that a model imports, directly or not; what is wrong with them is told as in compile.
std::vector<std::string> importedFiles(const std::string &text, const std::string &fileName, Diagnostics &);

} // namespace netc::dsl
