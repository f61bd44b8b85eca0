// The stages in order: source -> graph -> forward passes -> gradient -> complete passes -> schedule -> loops. Each function
// takes the work one stage further; every result is verified. Errors in a source text are thrown as SourceError with
// all diagnostics of the run.
#pragma once

#include "compiler/driver/options.h"
#include "compiler/graph/graph.h"
#include "compiler/support/diagnostics.h"

#include <functional>
#include <string>

namespace netc::driver {

/// Diagnostics with carets; printed as they are.
struct SourceError : UserError {
  using UserError::UserError;
};

enum class InputKind { Net, Graph, Loops };

/// By extension; throws UserError for another one.
InputKind inputKind(const std::string &path);

/// --emit=ast.
std::string syntaxTree(const Options &);

/// The graph as written: a .net elaborated, or a .graph parsed. Gradients are still placeholders.
graph::Module sourceGraph(const Options &);

/// The passes that run before differentiation: those of --pass if given, else the forward pipeline.
void forwardPasses(graph::Module &, const Options &);

/// Defines the gradient placeholders of each entry that has some. Nothing happens to the others.
void differentiate(graph::Module &);

/// The passes over forward and backward together.
void completePasses(graph::Module &, const Options &);

/// All of the above in order.
graph::Module optimizedGraph(const Options &);

} // namespace netc::driver
