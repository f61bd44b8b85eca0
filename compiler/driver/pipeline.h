// The stages in order: source -> graph -> forward passes -> gradient -> complete passes -> schedule -> loops. Each function
// takes the work one stage further; every result is verified. Errors in a source text are thrown as SourceError with
// all diagnostics of the run.
#pragma once

#include "compiler/driver/options.h"
#include "compiler/graph/graph.h"
#include "compiler/loop/loop.h"
#include "compiler/schedule/schedule.h"
#include "compiler/support/diagnostics.h"

#include <string>
#include <vector>

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

/// --emit=layouts: where the tensors of all entries lie, and what the model says of each contraction.
std::string layoutsText(const Options &, const std::string &target);
/// --emit=schedule: the schedules of all entries, those of --schedule or planned for the target.
std::string scheduleText(const Options &, const std::string &target);
/// --emit=fusion: what each kernel computes together, and the memory traffic that saves.
std::string fusionText(const Options &, const std::string &target);
/// --emit=memory: where the tensors of each entry's workspace lie, and when, as SVG.
std::string memoryPicture(const Options &, const std::string &target);

/// --emit=dot: the kernels of the training step (of a model that does not train, of its first entry) for graphviz.
std::string dotText(const Options &, const std::string &target);

/// An optimized graph made loops for one target, verified.
loop::Program lowered(const graph::Module &, const std::string &target, const Options &);
/// By these schedules of all entries.
loop::Program lowered(const graph::Module &, const std::string &target, const Options &, const std::vector<schedule::Schedule> &);

/// An optimized graph as it is scheduled for one target, with the schedules of all entries: those of --schedule and --tuning,
/// and plans for the others.
struct Scheduled {
  graph::Module module; // prepared
  std::vector<schedule::Schedule> schedules;
};
Scheduled scheduled(const Options &, const std::string &target);

/// From the input file to loops, one program a target. A .loops file is taken as it is (the passes of --pass are
/// run over it) and serves every target.
std::vector<loop::Program> programs(const Options &, const std::vector<std::string> &targets);

/// What the back ends require of loops that did not come from lowering: constant register indices.
std::vector<loop::Program> unrolled(std::vector<loop::Program>);

/// The targets of files that are to run elsewhere, of each architecture the best first: those of --target, else all of this
/// machine's architecture.
std::vector<std::string> deploymentTargets(const Options &);

/// The target of code that runs here: --target, else the environment's NETC_TARGET, else native.
std::string hostTarget(const Options &);

} // namespace netc::driver
