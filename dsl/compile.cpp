#include "dsl/dsl.h"

#include "compiler/graph/verifier.h"
#include "dsl/entries.h"
#include "dsl/imports.h"
#include "dsl/parser.h"
#include "dsl/prelude.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace netc::dsl {

namespace {

/// The prelude's declarations. They must outlive the library that points to them.
std::vector<SourceFile> parsePrelude(Diagnostics &diag) {
  std::vector<SourceFile> files;
  Diagnostics own;
  for (const EmbeddedFile &f : preludeFiles()) {
    const std::string text(f.text);
    const auto handle = diag.addSource(std::string(f.name), text); // notes point into it
    own.addSource(std::string(f.name), text);
    files.push_back(parse(text, handle, own));
    for (Callable &c : files.back().callables)
      c.prelude = true;
  }
  if (own.hasErrors()) internalError("the prelude does not parse:\n" + own.str());
  return files;
}

void addToLibrary(Library &library, const SourceFile &f, Diagnostics &diag) {
  for (const Callable &c : f.callables) {
    const auto [it, fresh] = library.emplace(c.name, &c);
    if (fresh) continue;
    if (it->second->prelude) {
      it->second = &c; // the user's own stands before the prelude's
      continue;
    }
    diag.error(c.location, fmt::format("'{}' is declared already", c.name));
    diag.note(it->second->location, "the first declaration stands here");
  }
}

std::vector<Setting> parseSettings(const Options &options, Diagnostics &diag) {
  std::vector<Setting> list;
  for (const auto &[name, value] : options.set) {
    const std::string text = name + "=" + value;
    Diagnostics quiet;
    const auto file = diag.addSource("--set " + name, text);
    const Location at{file, 1, 1};
    ExprPtr e = parseValue(value, file, quiet);
    if (!e)
      diag.error({file, 1, static_cast<int>(name.size()) + 2},
                 fmt::format("expected a value such as 0.1, true or [1, 2], found '{}'", value));
    list.push_back({name, std::move(e), at});
  }
  return list;
}

/// --augment: a data block in place of the file's.
void replaceData(SourceFile &source, const std::string &steps, Diagnostics &diag) {
  std::erase_if(source.statements, [](const Statement &s) { return s.kind == Statement::Kind::Data; });
  if (steps == "none") return;
  const auto file = diag.addSource("--augment", steps);
  Statement data;
  data.kind = Statement::Kind::Data;
  data.location = {file, 1, 1};
  data.then = parseSteps(steps, file, diag);
  source.statements.push_back(std::move(data));
}

/// The plan of --plan, or the default.
const TrainingPlan *choosePlan(const std::vector<TrainingPlan> &plans, const std::string &name,
                               Diagnostics &diag) {
  for (const TrainingPlan &p : plans)
    if (p.name == name) return &p;
  if (name.empty()) return plans.empty() ? nullptr : &plans.front();
  std::vector<std::string> names;
  for (const TrainingPlan &p : plans)
    if (!p.name.empty()) names.push_back(p.name);
  const std::string near = nearest(name, names);
  const auto file = diag.addSource("--plan", name);
  diag.error({file, 1, 1}, fmt::format("this model has no training plan '{}'{}", name,
                                       near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  if (near.empty() && !names.empty())
    diag.note({file, 1, 1}, fmt::format("there is {}", fmt::join(names, ", ")));
  return nullptr;
}

void checkResults(const Elaborated &e, const Location &top, Diagnostics &diag) {
  if (!diag.hasErrors() && e.graph.results.empty())
    diag.error(top, "this model computes nothing: it has no output, loss or metric");
}

/// The chosen plan, then all others that are compiled beside it.
std::vector<const TrainingPlan *> compiledPlans(const std::optional<Elaborated> &training, const TrainingPlan *chosen,
                                                const Options &options) {
  if (!chosen || options.predictOnly) return {};
  std::vector<const TrainingPlan *> list{chosen};
  for (const TrainingPlan &p : training->plans)
    if (options.allPlans && &p != chosen) list.push_back(&p);
  return list;
}

void keepPrediction(graph::Module &m, const Location &top, Diagnostics &diag) {
  std::erase_if(m.entries, [](const graph::Graph &entry) { return entry.name != "predict"; });
  if (m.entries.empty()) diag.error(top, "this model has no output to predict");
}

} // namespace

std::optional<graph::Module> compile(const std::string &text, const std::string &fileName,
                                     const Options &options, Diagnostics &diag) {
  const auto file = diag.addSource(fileName, text);
  SourceFile source = parse(text, file, diag);
  const std::deque<SourceFile> imports = readImports(source, fileName, diag);
  const std::vector<SourceFile> prelude = parsePrelude(diag);
  const std::vector<Setting> settings = parseSettings(options, diag);
  if (options.augment) replaceData(source, *options.augment, diag);
  Library library;
  for (const SourceFile &f : prelude)
    addToLibrary(library, f, diag);
  for (const SourceFile &f : imports)
    addToLibrary(library, f, diag);
  addToLibrary(library, source, diag);
  if (diag.hasErrors()) return std::nullopt;
  std::optional<Elaborated> training;
  Elaborated inference = Elaborator(library, diag, settings, options.batch, /*training=*/false).run(source);
  if (inference.trains && !diag.hasErrors())
    training = Elaborator(library, diag, settings, options.batch, /*training=*/true).run(source);
  checkResults(inference, {file, 1, 1}, diag);
  if (diag.hasErrors()) return std::nullopt;
  const TrainingPlan *plan = choosePlan((training ? *training : inference).plans, options.plan, diag);
  std::optional<graph::Module> m = makeEntries(inference, compiledPlans(training, plan, options), options.batch, diag);
  if (m && options.predictOnly) keepPrediction(*m, {file, 1, 1}, diag);
  if (!m || diag.hasErrors() || !graph::verify(*m, diag)) return std::nullopt;
  return m;
}

std::vector<std::string> importedFiles(const std::string &text, const std::string &fileName, Diagnostics &diag) {
  SourceFile source = parse(text, diag.addSource(fileName, text), diag);
  std::vector<std::string> names;
  for (const SourceFile &f : readImports(source, fileName, diag)) names.push_back(f.name);
  return names;
}

std::string printAst(const std::string &text, const std::string &fileName, Diagnostics &diag) {
  const auto file = diag.addSource(fileName, text);
  const SourceFile source = parse(text, file, diag);
  return diag.hasErrors() ? std::string() : print(source);
}

} // namespace netc::dsl
