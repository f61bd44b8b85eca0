// The lower half of the pipeline: optimized graph -> schedule -> loops.
#include "compiler/driver/messages.h"
#include "compiler/driver/pipeline.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/text.h"
#include "compiler/loop/verifier.h"
#include "compiler/schedule/dot.h"
#include "compiler/schedule/fusion_text.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/memory_picture.h"
#include "compiler/schedule/plan.h"
#include "compiler/support/in_parallel.h"
#include "compiler/support/text_file.h"
#include "netc/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

namespace netc::driver {
namespace {

void settle(const Diagnostics &diagnostics) {
  if (diagnostics.hasErrors()) throw SourceError(diagnostics.str());
}

/// What does not fit is told at its place, in the schedule or the model.
template <class Work> auto located(Diagnostics &diagnostics, const Options &options, Work work) {
  try {
    return work();
  } catch (const schedule::Misfit &misfit) {
    if (!misfit.at.known()) throw;
    if (misfit.at.file && *misfit.at.file == options.input) diagnostics.addSource(options.input, readFile(options.input));
    diagnostics.error(misfit.at, misfit.what());
    if (misfit.at.file && *misfit.at.file == options.tuning)
      diagnostics.note(misfit.at, "a tuning is for one model and one --batch; netc tune makes another");
    throw SourceError(diagnostics.str());
  }
}

/// A tuning may hold schedules for other targets and for entries that are not compiled this time. A file for several targets
/// may be tuned for this machine's alone.
std::vector<schedule::Schedule> fromTuning(std::vector<schedule::Schedule> all, const graph::Module &module, const std::string &target,
                                           const Options &options) {
  const std::string machine = describedTarget(target);
  std::erase_if(all, [&](const schedule::Schedule &s) {
    return s.target != machine || std::none_of(module.entries.begin(), module.entries.end(),
                                               [&](const graph::Graph &g) { return g.name == s.entry; });
  });
  if (all.empty() && (!options.target.empty() || machine == describedTarget("native")))
    complain(fmt::format("netc: warning: '{}' has no schedule of this model for {}\n", options.tuning, machine));
  return all;
}

/// use(the schedules of --schedule or --tuning); what does not fit is said at its line.
template <class Use> auto withGivenSchedules(const Options &options, const graph::Module &module, const std::string &target, Use use) {
  Diagnostics diagnostics;
  std::vector<schedule::Schedule> given;
  const auto read = [&](const std::string &file) { return schedule::parse(readFile(file), file, diagnostics); };
  if (!options.schedule.empty()) given = read(options.schedule);
  if (!options.tuning.empty()) given = fromTuning(read(options.tuning), module, target, options);
  settle(diagnostics);
  return located(diagnostics, options, [&] { return use(given); });
}

void verifyOwn(const loop::Program &program, const std::string &stage) {
  Diagnostics diagnostics;
  if (!loop::verify(program, diagnostics)) internalError(stage + ":\n" + diagnostics.str());
}

std::vector<loop::Pass> namedLoopPasses(const std::vector<std::string> &names) {
  std::vector<std::string> known;
  for (const loop::Pass &p : loop::allPasses()) known.emplace_back(p.name);
  std::vector<loop::Pass> found;
  for (const std::string &name : names) {
    const loop::Pass *p = loop::findPass(name);
    if (!p) throw UserError(unknownName("loop pass", name, known));
    found.push_back(*p);
  }
  return found;
}

void runLoopPasses(loop::Program &program, const Options &options) {
  for (const loop::Pass &pass : namedLoopPasses(options.passes)) {
    for (loop::Entry &entry : program.entries)
      for (loop::Kernel &kernel : entry.kernels) pass.run(entry, kernel, program.batch);
    verifyOwn(program, fmt::format("after the loop pass {}", pass.name));
    if (options.printAfterAll) fmt::print(stderr, "# after {}\n{}\n", pass.name, loop::print(program));
  }
}

loop::Program parsedLoops(const Options &options) {
  Diagnostics diagnostics;
  loop::Program program = loop::parse(readFile(options.input), options.input, diagnostics);
  if (!diagnostics.hasErrors()) loop::verify(program, diagnostics);
  settle(diagnostics);
  return program;
}

/// `from` says who named it.
std::string knownTarget(const std::string &name, const std::string &from) {
  for (const std::string &known : targetNames())
    if (name == known) return name;
  throw UserError(fmt::format("{}: {}", from, unknownName("target", name, targetNames())));
}

/// For code that is to run here.
std::string targetOfThisMachine(const std::string &name, const std::string &from) {
  const Architecture &its = *findTarget(knownTarget(name, from)).architecture, &own = hostArchitecture();
  if (&its != &own) throw UserError(fmt::format("{}: code for {} does not run on this machine, an {}", from, name, own.name));
  return name;
}

schedule::MemoryLimit memoryLimit(const graph::Module &module, const Options &options) {
  const auto store = static_cast<std::size_t>(schedule::programInterface(module, "").storeBytes);
  return {options.maxMemory, static_cast<std::int64_t>(Core::memoryBytes(store, 0))};
}

graph::Module prepared(graph::Module optimized) {
  schedule::prepare(optimized);
  return optimized;
}

/// The graph as it is scheduled for a target.
graph::Module preparedGraph(const Options &options, const std::string &target) {
  graph::Module module = prepared(optimizedGraph(options));
  Diagnostics diagnostics;
  located(diagnostics, options, [&] { schedule::fitMemory(module, findTarget(target), memoryLimit(module, options)); });
  return module;
}

} // namespace

Scheduled scheduled(const Options &options, const std::string &target) {
  Scheduled result{preparedGraph(options, target), {}};
  result.schedules = withGivenSchedules(options, result.module, target, [&](const auto &given) {
    return schedule::planAll(result.module, findTarget(target), given);
  });
  return result;
}

std::string layoutsText(const Options &options, const std::string &target) {
  std::string text;
  for (const graph::Graph &entry : preparedGraph(options, target).entries) text += schedule::layoutsText(entry);
  return text;
}

std::string scheduleText(const Options &options, const std::string &target) {
  std::string text;
  for (const schedule::Schedule &s : scheduled(options, target).schedules) text += schedule::print(s);
  return text;
}

std::string dotText(const Options &options, const std::string &target) {
  Scheduled all = scheduled(options, target);
  const graph::Graph *training = all.module.trainingEntry();
  std::size_t entry = training ? static_cast<std::size_t>(training - all.module.entries.data()) : 0;
  return schedule::dot(all.module.entries[entry], all.schedules[entry]);
}

std::string fusionText(const Options &options, const std::string &target) {
  const Scheduled all = scheduled(options, target);
  std::string text;
  for (std::size_t i = 0; i < all.schedules.size(); ++i) text += schedule::fusionText(all.module.entries[i], all.schedules[i]);
  return text;
}

std::string memoryPicture(const Options &options, const std::string &target) {
  const Scheduled all = scheduled(options, target);
  return schedule::memoryPicture(all.module, all.schedules);
}

namespace {

/// What the runtime could not start is refused here.
void requireFewResults(const graph::Module &module) {
  for (const graph::Graph &entry : module.entries) {
    if (entry.results.size() <= Core::maxResults) continue;
    const graph::Result &first = entry.results[Core::maxResults];
    throw schedule::Misfit(graph::placeOf(entry.tensors[static_cast<std::size_t>(first.tensor)]),
                           fmt::format("{} is output number {} of {}, expected at most {}", first.name, Core::maxResults + 1, entry.name,
                                       Core::maxResults));
  }
}

loop::Program compiled(const graph::Module &prepared, const std::string &target, const Options &options,
                       const std::vector<schedule::Schedule> &schedules) {
  return schedule::compile(prepared, findTarget(target), schedules, /*optimize=*/true, memoryLimit(prepared, options));
}

loop::Program compiled(const graph::Module &prepared, const std::string &target, const Options &options) {
  return withGivenSchedules(options, prepared, target, [&](const auto &given) {
    requireFewResults(prepared);
    return compiled(prepared, target, options, given);
  });
}

} // namespace

loop::Program lowered(const graph::Module &module, const std::string &target, const Options &options) {
  return compiled(prepared(module), target, options);
}

loop::Program lowered(const graph::Module &module, const std::string &target, const Options &options,
                      const std::vector<schedule::Schedule> &schedules) {
  return compiled(prepared(module), target, options, schedules);
}

std::vector<loop::Program> programs(const Options &options, const std::vector<std::string> &targets) {
  std::vector<loop::Program> result;
  if (inputKind(options.input) == InputKind::Loops) {
    loop::Program program = parsedLoops(options);
    runLoopPasses(program, options);
    for (const std::string &target : targets) {
      result.push_back(program);
      result.back().target = target;
    }
    return result;
  }
  const graph::Module module = prepared(optimizedGraph(options));
  result.resize(targets.size());
  inParallel(targets.size(), [&](std::size_t i) { result[i] = compiled(module, targets[i], options); });
  return result;
}

std::vector<loop::Program> unrolled(std::vector<loop::Program> list) {
  inParallel(list.size(), [&](std::size_t i) {
    for (loop::Entry &entry : list[i].entries)
      for (loop::Kernel &kernel : entry.kernels) loop::unroll(kernel, list[i].batch);
  });
  return list;
}

std::vector<std::string> deploymentTargets(const Options &options) {
  std::set<std::string> named;
  std::istringstream list(options.target);
  for (std::string name; std::getline(list, name, ',');)
    if (!named.insert(knownTarget(name, "--target")).second) throw UserError(fmt::format("--target: '{}' is named twice", name));
  std::vector<std::string> targets;
  for (const Target &t : targetTable())
    if (named.count(t.name) || (named.empty() && t.architecture == &hostArchitecture())) targets.push_back(t.name);
  if (named.count("native")) targets.emplace_back("native"); // last: every machine would take it
  return targets;
}

std::string hostTarget(const Options &options) {
  if (!options.target.empty()) return targetOfThisMachine(options.target, "--target");
  const char *forced = std::getenv("NETC_TARGET"); // as for a model that is linked into a program
  return forced && *forced ? targetOfThisMachine(forced, "NETC_TARGET") : "native";
}

} // namespace netc::driver
