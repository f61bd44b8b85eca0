#include "compiler/driver/explain_page.h"

#include "compiler/driver/abridge.h"
#include "compiler/driver/chart.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/kernel_times.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/random_batch.h"
#include "compiler/graph/text.h"
#include "compiler/loop/text.h"
#include "compiler/loop/walk.h"
#include "compiler/passes/passes.h"
#include "compiler/schedule/formula_index.h"
#include "compiler/schedule/memory_picture.h"
#include "compiler/support/figures.h"
#include "compiler/support/text_file.h"
#include "compiler/support/version.h"

#include <boost/algorithm/string/replace.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

namespace netc::driver {
namespace {

constexpr double secondsOfTiming = 0.5;

constexpr const char *style = R"(<meta name="viewport" content="width=device-width">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
nav a { margin-right: 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse } td, th { padding: .1rem .6rem; text-align: right; vertical-align: top; white-space: nowrap }
th { font-weight: 600 } .buffers td:nth-child(3n + 1), .buffers td:last-child { text-align: left }
.buffers td:last-child { white-space: normal }
.code, pre { font: 13px/1.4 monospace; white-space: pre; text-align: left }
td.code { white-space: pre-wrap }
pre { overflow-x: auto; background: #f6f6f6; padding: .5rem }
.formula { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .2rem 0 }
.formula > div { overflow-x: auto; overflow-y: hidden; flex: 1 }
math mtext { font-style: italic }
del { color: #a33; text-decoration: none } ins { color: #272; text-decoration: none }
svg { max-width: 100%; height: auto }
td details { white-space: normal; max-width: min(44rem, 75vw) }
summary { cursor: pointer; color: #555 } h3 { margin-bottom: 0 }
:target { background: #fff3c4 }
</style>
)";

std::string link(const std::string &id, const std::string &text) { return fmt::format("<a href=\"#{}\">{}</a>", id, htmlText(text)); }

/// Without the folders: a page is the same wherever the model lies.
std::string nameOf(const std::string &file) { return std::filesystem::path(file).filename(); }

/// A place in a source text, without its column.
struct Line {
  std::string file;
  int number;
  bool operator<(const Line &other) const { return std::tie(file, number) < std::tie(other.file, other.number); }
};

Line lineOf(const Location &at) { return {*at.file, at.line}; }
std::string id(const Line &line) { return explain::lineId({std::make_shared<const std::string>(line.file), line.number, 1}); }

/// As they are printed, and the names of what they compute.
using Formulas = std::map<std::string, std::string>;

/// What one pass made of the formulas of a line.
struct Rewrite {
  std::string_view pass;
  Formulas before, after;
};
using Rewrites = std::map<Line, std::vector<Rewrite>>;

class History {
public:
  /// Of an entry that no pass has seen.
  Rewrites run(const graph::Module &source, const graph::Graph &entry) {
    graph::Module module{source.name, source.batch, {entry}, source.winograd4};
    graph::Graph &g = module.entries[0];
    now = formulas(g);
    const auto after = [&](std::string_view pass) { note(g, pass); };
    passes::run(passes::forwardPipeline(), g, after);
    differentiate(module);
    note(g, "gradient");
    passes::run(passes::completePipeline(), g, after);
    return std::move(rewrites);
  }

private:
  using ByLine = std::map<Line, Formulas>;

  static ByLine formulas(const graph::Graph &g) {
    ByLine all;
    for (const graph::Formula &f : g.formulas)
      if (f.location.known()) all[lineOf(f.location)].emplace(graph::print(g, f), g.tensors[static_cast<std::size_t>(f.target)].name);
    return all;
  }

  void note(const graph::Graph &g, std::string_view pass) {
    ByLine before = std::exchange(now, formulas(g));
    for (const auto &[line, list] : now) before.try_emplace(line);
    for (const auto &[line, list] : before) {
      const Formulas &after = now[line];
      Rewrite r{pass, {}, {}};
      std::set_difference(list.begin(), list.end(), after.begin(), after.end(), std::inserter(r.before, r.before.end()));
      std::set_difference(after.begin(), after.end(), list.begin(), list.end(), std::inserter(r.after, r.after.end()));
      if (!r.before.empty() || !r.after.empty()) rewrites[line].push_back(std::move(r));
    }
  }

  ByLine now;
  Rewrites rewrites;
};

class Page {
public:
  Page(const Options &o, const graph::Module &source, const graph::Graph &entry)
      : options(o), all(scheduled(o, hostTarget(o))), number(placeOf(entry.name)), g(all.module.entries[number]),
        formulas(g), schedule(all.schedules[number]), program(lowered(optimizedGraph(o), hostTarget(o), o, all.schedules)),
        entry(*program.entry(entry.name)), rewrites(History().run(source, entry)) {
    for (const schedule::Group &group : schedule.run)
      for (const schedule::Leaf &leaf : group.leaves) leaves.push_back(&leaf);
    if (leaves.size() != this->entry.kernels.size()) internalError("kernels and leaves are not the same");
    const auto note = [&](const Location &at) {
      if (at.known()) files.insert(*at.file);
    };
    for (const graph::Formula &f : entry.formulas) note(f.location);
    for (const graph::Tensor &t : entry.tensors) note(t.location);
    measure();
  }

  std::string print(const std::string &derivation, const std::vector<explain::Anchor> &anchors) {
    for (const explain::Anchor &a : anchors)
      if (a.location.known()) (a.gradient ? at(a.location).gradients : at(a.location).forward).push_back(link(a.id, a.tensor));
    const std::string kernels = kernelSections(), memory = buffers(), changes = rewriteSections();
    const std::string name = htmlText(program.name);
    return fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"{}\">\n"
                       "<title>The gradients of {}</title>\n{}</head>\n<body>\n<h1>The gradients of {}</h1>\n"
                       "<nav><a href=\"#source\">source</a> <a href=\"#derivation\">derivation</a> <a href=\"#rewrites\">rewrites</a> "
                       "<a href=\"#kernels\">kernels</a> <a href=\"#memory\">memory</a></nav>\n"
                       "{}<div id=\"derivation\">{}</div>\n{}{}{}</body>\n</html>\n",
                       version(), name, style, name, sources(), derivation, changes, kernels, memory);
  }

private:
  /// What a source line leads to: links, and what it costs.
  struct Facts {
    std::vector<std::string> forward, gradients, kernels, buffers;
    double ms = 0;
    std::int64_t bytes = 0; // of the workspace
  };
  Facts &at(const Location &where) { return lines[lineOf(where)]; }

  std::size_t placeOf(const std::string &entryName) const {
    const auto &entries = all.module.entries;
    return static_cast<std::size_t>(
        std::find_if(entries.begin(), entries.end(), [&](const graph::Graph &e) { return e.name == entryName; }) - entries.begin());
  }

  void measure() {
    loop::Program alone = program;
    std::erase_if(alone.entries, [&](const loop::Entry &e) { return e.name != entry.name; });
    CompiledModel model(unrolled({alone})[0], options);
    const RandomBatch samples(model, /*seed=*/0);
    times = timeKernels(model, entry.name, samples.data(), secondsOfTiming);
    for (const KernelTime &k : times.kernels) total += k.ms;
  }

  /// Text of several lines; htmlText is for one.
  std::string htmlLines(std::string text) const {
    for (const std::string &file : files) boost::replace_all(text, '"' + file + '"', '"' + nameOf(file) + '"');
    std::istringstream in(text);
    std::string all;
    for (std::string line; std::getline(in, line);) all += htmlText(line) + '\n';
    return all;
  }

  // --- source

  std::string sources() const {
    std::string text = "<h2 id=\"source\">Source</h2>\n";
    text += sourceTable(options.input);
    for (const std::string &file : files)
      if (file != options.input) text += sourceTable(file);
    return text;
  }

  std::string sourceTable(const std::string &file) const {
    std::string text = fmt::format("<div class=\"wide\"><table>\n<tr><th></th><td class=\"code\">{}</td><th>ms</th><th>workspace</th>"
                                   "</tr>\n",
                                   htmlText(nameOf(file)));
    std::istringstream in(readFile(file));
    Line line{file, 0};
    for (std::string code; std::getline(in, code);) {
      ++line.number;
      const auto found = lines.find(line);
      const Facts none, &facts = found == lines.end() ? none : found->second;
      text += fmt::format("<tr id=\"{}\"><td>{}</td><td class=\"code\">{}{}</td><td>{}</td><td>{}</td></tr>\n", id(line), line.number,
                          htmlText(code), ways(line, facts), facts.ms > 0 ? fmt::format("{:.3f}", facts.ms) : "",
                          facts.bytes > 0 ? bytesText(static_cast<std::size_t>(facts.bytes)) : "");
    }
    return text + "</table></div>\n";
  }

  /// All that a line leads to.
  std::string ways(const Line &line, const Facts &facts) const {
    std::string text;
    const auto list = [&](const char *what, const std::vector<std::string> &links) {
      if (!links.empty()) text += fmt::format("<div>{}: {}</div>", what, fmt::join(links, " "));
    };
    list("forward", facts.forward);
    list("chain rule", facts.gradients);
    if (const auto r = rewrites.find(line); r != rewrites.end())
      list("rewrites", {link(rewritesId(line), fmt::format("{} passes", r->second.size()))});
    list("kernels", facts.kernels);
    list("memory", facts.buffers);
    return text.empty() ? "" : "<details><summary>leads to</summary>" + text + "</details>";
  }

  // --- rewrites

  static std::string rewritesId(const Line &line) { return "rewrites-" + id(line); }

  std::string rewriteSections() const {
    std::string text = "<h2 id=\"rewrites\">Rewrites</h2>\n<p>What the passes make of the formulas of each line, in their order.</p>\n";
    for (const auto &[line, list] : rewrites) {
      text += fmt::format("<section id=\"{}\"><p>Line {}</p>\n", rewritesId(line), lineLink(line));
      for (const Rewrite &r : list) {
        const passes::Pass *pass = passes::findPass(r.pass);
        text += fmt::format("<details><summary>{}{}</summary><pre>", r.pass, pass ? fmt::format(": {}", pass->does) : "");
        text += listed("del", r.before) + listed("ins", r.after) + "</pre></details>\n";
      }
      text += "</section>\n";
    }
    return text;
  }

  /// Of formulas that differ in names and sizes only, such as those of one layer in many blocks, the first and the names of the others.
  std::string listed(const char *tag, const Formulas &formulas) const {
    std::map<std::string, std::vector<const Formulas::value_type *>> groups;
    for (const auto &f : formulas) groups[form(f.first)].push_back(&f);
    std::string text;
    for (const auto &[form, group] : groups) {
      text += fmt::format("<{}>{}", tag, htmlLines(group[0]->first));
      for (std::size_t i = 1; i < group.size(); ++i) text += (i == 1 ? "  and alike: " : ", ") + htmlText(group[i]->second);
      text += fmt::format("{}</{}>", group.size() > 1 ? "\n" : "", tag);
    }
    return text;
  }

  std::string lineLink(const Line &line) const {
    return link(id(line), line.file == options.input ? std::to_string(line.number) : fmt::format("{}:{}", nameOf(line.file), line.number));
  }

  // --- kernels

  std::string kernelSections() {
    std::string text = fmt::format(
        "<h2 id=\"kernels\">Kernels</h2>\n<p>The kernels of {} in their order, each with the formulas that are "
        "fused in it, its schedule and its loops, unless those of an earlier kernel are alike. Of what repeats in "
        "a loop the first and the last stand here; <code>--emit=loops</code> has all. Times are of one thread and {} samples: {:.3g} ms, "
        "peak {:.0f} GFLOP/s.</p>\n",
        htmlText(entry.name), program.batch, total, times.peak);
    for (std::size_t i = 0; i < leaves.size(); ++i) text += kernelSection(i);
    return text;
  }

  std::string kernelSection(std::size_t i) {
    const loop::Kernel &k = entry.kernels[i];
    const KernelTime &time = times.kernels[i];
    const std::string own = kernelId(i);
    std::set<Line> from;
    for (const int t : formulas.computedBy(*leaves[i])) from.insert(lineOf(whereFrom(t)));
    for (const Line &line : from) lines[line].kernels.push_back(link(own, k.name));
    lines[lineOf(whereFrom(g.find(leaves[i]->formula)))].ms += time.ms;
    std::vector<std::string> linked;
    for (const Line &line : from) linked.push_back(lineLink(line));
    return fmt::format("<section id=\"{}\"><h3>{}. {}</h3>\n<p>line {}; {:.4f} ms, {:.1f} %{}<br/>{}</p>\n"
                       "<details><summary>formulas, schedule, loops</summary><pre>{}</pre></details></section>\n",
                       own, i, htmlText(k.name), fmt::join(linked, ", "), time.ms, total > 0 ? 100 * time.ms / total : 0,
                       time.flops > 0 ? fmt::format(", {:.1f} GFLOP/s", time.gflops()) : "", touched(i), codeOf(i));
  }

  static std::string kernelId(std::size_t i) { return fmt::format("kernel-{}", i); }
  static std::string bufferId(std::size_t b) { return fmt::format("buffer-{}", b); }

  /// Its formulas, schedule and loops, or a kernel that has the same.
  std::string codeOf(std::size_t i) {
    const std::string text = abridged(loop::print(entry, entry.kernels[i]));
    const auto [first, isNew] = printed.try_emplace(form(text), i);
    if (isNew) return htmlLines(text);
    return "as " + link(kernelId(first->second), entry.kernels[first->second].name) + ", with other names and sizes\n";
  }

  /// Links to the buffers that a kernel reads and writes.
  std::string touched(std::size_t kernel) {
    std::set<int> reads, writes;
    loop::forEachStatement(entry.kernels[kernel].body, [&](const loop::Statement &s) {
      if (const auto *l = std::get_if<loop::Load>(&s.node)) reads.insert(l->buffer);
      if (const auto *t = std::get_if<loop::Store>(&s.node)) writes.insert(t->buffer);
    });
    const auto list = [&](const char *what, const std::set<int> &which) {
      std::string text;
      for (const int b : which) {
        text += " " + link(bufferId(static_cast<std::size_t>(b)), entry.buffers[static_cast<std::size_t>(b)].name);
        users[b].insert(kernel);
      }
      return text.empty() ? text : fmt::format("{}{} ", what, text);
    };
    return list("reads", reads) + list("writes", writes);
  }

  /// Where the source says what a tensor of the entry is.
  const Location &whereFrom(int tensor) const {
    const graph::Formula *f = g.definition(tensor);
    const Location &at = f && f->location.known() ? f->location : g.tensors[static_cast<std::size_t>(tensor)].location;
    if (!at.known()) internalError(fmt::format("'{}' comes from nowhere", g.tensors[static_cast<std::size_t>(tensor)].name));
    return at;
  }

  // --- memory

  std::string buffers() {
    std::string text =
        "<h2 id=\"memory\">Memory</h2>\n<div class=\"wide\">" +
        schedule::memoryPicture({all.module.name, all.module.batch, {g}}, {schedule}) +
        "</div>\n<div class=\"wide\"><table class=\"buffers\">\n<tr><th>buffer</th><th>line</th><th>bytes</th><th>place</th><th>at</th>"
        "<th>kernels</th></tr>\n";
    for (std::size_t b = 0; b < entry.buffers.size(); ++b) {
      const loop::Buffer &buffer = entry.buffers[b];
      const auto used = users.find(static_cast<int>(b));
      if (used == users.end()) continue;
      const std::int64_t bytes = buffer.size * byteSize(buffer.type);
      const Location &from = whereFrom(tensorOf(buffer));
      at(from).buffers.push_back(link(bufferId(b), buffer.name));
      std::vector<std::string> kernels;
      for (const std::size_t k : used->second) kernels.push_back(link(kernelId(k), std::to_string(k)));
      if (buffer.space == loop::Space::Workspace || buffer.space == loop::Space::Part) at(from).bytes += bytes;
      text += fmt::format("<tr id=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                          bufferId(b), htmlText(buffer.name), lineLink(lineOf(from)), bytes, loop::name(buffer.space), buffer.place,
                          fmt::join(kernels, " "));
    }
    return text + "</table></div>\n";
  }

  int tensorOf(const loop::Buffer &buffer) const { return g.find(buffer.name); }

  const Options &options;
  const Scheduled all;
  const std::size_t number;
  const graph::Graph &g; // as it is scheduled
  const schedule::FormulaIndex formulas;
  const schedule::Schedule &schedule;
  const loop::Program program;
  const loop::Entry &entry;
  const Rewrites rewrites;
  std::set<std::string> files; // of the source
  std::vector<const schedule::Leaf *> leaves; // one a kernel
  KernelTimes times;
  double total = 0;
  std::map<Line, Facts> lines;
  std::map<int, std::set<std::size_t>> users;            // kernels of each buffer
  std::map<std::string, std::size_t> printed; // kernels by the form of their text, those whose loops are on the page
};

} // namespace

std::string explainPage(const Options &o, const graph::Module &source, const graph::Graph &entry, const std::string &derivation,
                        const std::vector<explain::Anchor> &anchors) {
  return Page(o, source, entry).print(derivation, anchors);
}

} // namespace netc::driver
