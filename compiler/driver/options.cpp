#include "compiler/driver/options.h"

#include "compiler/driver/help_pages.h"
#include "compiler/driver/option_table.h"
#include "compiler/driver/shell_text.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/version.h"

#include <boost/program_options.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <iostream>
#include <limits>
#include <string_view>
#include <utility>

namespace po = boost::program_options;

namespace netc::driver {
namespace {

void printGeneralHelp() {
  std::cout << "netc compiles and trains neural networks written as formulas (.net files)\n\n"
               "usage: netc [COMMAND] FILE [options]\n\ncommands:\n";
  for (const Command &c : commandTable()) std::cout << fmt::format("  {:<10}{}\n", c.name, c.does);
  std::cout << "\nexamples:\n"
               "  netc train examples/lenet5/lenet5.net   train on the built-in digits\n"
               "  netc lenet5.net -o lenet5.cpp           C++ with trainStep and predict\n"
               "  netc lenet5.net --emit=gradient         the derived backward formulas\n"
               "\nnetc COMMAND --help shows its options (--help-all: all), netc --man a manual.\n"
               "Completion: source <(netc --completion bash), or zsh\n";
}

/// What fits a screen; `all`: every option has a line.
void printCommandHelp(const Command &c, bool all) {
  constexpr std::size_t width = 80;
  std::cout << c.help << "\noptions:\n";
  std::string names = "more:", lines;
  for (const OptionRow &r : optionTable()) {
    if (!(r.takes & commandBit(c.name))) continue;
    if (all || !r.rare) {
      std::cout << fmt::format("  {:<21} {}\n", fmt::format("{} {}", spelled(r), r.value), r.does);
      continue;
    }
    if (names.size() + 1 + spelled(r).size() > width) lines += std::exchange(names, "     ") + "\n";
    names += " " + spelled(r);
  }
  if (!all) std::cout << lines << names << "\n";
}

/// --man, or --completion with a shell.
std::string page(const std::vector<std::string> &words) {
  if (words[0] == "--man") return manualPage();
  const std::string shell = words.size() > 1 ? words[1] : "bash";
  if (shell != "bash" && shell != "zsh") throw UserError(unknownName("shell", shell, {"bash", "zsh"}));
  return shell == "zsh" ? zshCompletion() : bashCompletion();
}

/// Boost's description of every option, bound to the fields of `o`.
po::options_description describe(Options &o, std::vector<std::string> &sets, std::string &passes, std::string &maxMemory,
                                 std::string &dataMemory) {
  po::options_description d;
  auto text = [&](const char *name, std::string &field) { d.add_options()(name, po::value(&field)); };
  auto list = [&](const char *name, std::vector<std::string> &field) {
    d.add_options()(name, po::value(&field)->composing());
  };
  auto flag = [&](const char *name, bool &field) { d.add_options()(name, po::bool_switch(&field)); };
  text(",o", o.output);
  flag("standalone", o.standalone);
  flag("predict-only", o.predictOnly);
  flag("selftest", o.selfTest);
  text("emit", o.emit);
  text("depfile", o.depfile);
  text("pass", passes);
  flag("print-after-all", o.printAfterAll);
  list("set", sets);
  text("plan", o.plan);
  text("target", o.target);
  text("schedule", o.schedule);
  text("tuning", o.tuning);
  text("max-memory", maxMemory);
  text("fast-math", o.fastMath);
  text("data", o.data);
  text("data-memory", dataMemory);
  d.add_options()("validation", po::value<double>()->notifier([&o](double part) { o.validation = part; }));
  d.add_options()("augment", po::value<std::string>()->notifier([&o](const std::string &steps) { o.augment = steps; }));
  text("class-weights", o.classWeights);
  list("bind", o.bind);
  list("input", o.inputs);
  text("weights", o.weights);
  list("map", o.map);
  text("weights-out", o.weightsOut);
  text("out", o.out);
  text("checkpoint-every", o.checkpointEvery);
  flag("resume", o.resume);
  list("print", o.print);
  list("save", o.save);
  text("engine", o.engine);
  text("format", o.format);
  flag("write", o.write);
  flag("quiet", o.quiet);
  flag("json", o.json);
  d.add_options()("batch", po::value(&o.batch))("epochs", po::value(&o.epochs))("steps", po::value(&o.steps))("seed", po::value(&o.seed))(
      "threads", po::value(&o.threads))("keep", po::value(&o.keep))("top", po::value(&o.top))("budget", po::value(&o.budget))("help", "")(
      "help-all", "")("version", "")("file", po::value<std::vector<std::string>>());
  return d;
}

std::vector<std::string> optionNames(unsigned takenBy) {
  std::vector<std::string> names;
  for (const OptionRow &r : optionTable())
    if (r.takes & takenBy) names.push_back(spelled(r));
  return names;
}

const OptionRow *findRow(std::string_view spelling) {
  for (const OptionRow &r : optionTable())
    if (spelled(r) == spelling) return &r;
  return nullptr;
}

/// An option that the command does not take: names the commands that do.
void checkTaken(const po::parsed_options &parsed, std::string_view command) {
  for (const po::option &option : parsed.options) {
    if (option.position_key >= 0 || option.string_key == "file") continue;
    std::string spelling = option.string_key.starts_with("-") ? option.string_key : "--" + option.string_key;
    unsigned takes = 0; // by any row of this spelling
    for (const OptionRow &r : optionTable())
      if (spelled(r) == spelling) takes |= r.takes;
    if (!takes || (takes & commandBit(command))) continue;
    std::string who;
    for (const Command &c : commandTable())
      if (takes & commandBit(c.name)) who += fmt::format("{}'netc {}'", who.empty() ? "" : ", ", c.name);
    throw UserError(fmt::format("'netc {}' has no option {}; it belongs to {}", command, spelling, who));
  }
}

/// "a,b" and "c" -> a, b, c; commas in parentheses do not count.
std::vector<std::string> splitAtCommas(const std::vector<std::string> &lists) {
  std::vector<std::string> parts;
  for (const std::string &text : lists) {
    int depth = 0;
    std::string part;
    for (char c : text + ",") {
      depth += (c == '(') - (c == ')');
      if (c != ',' || depth > 0) {
        part += c;
      } else if (!part.empty()) {
        parts.push_back(std::exchange(part, {}));
      }
    }
  }
  return parts;
}

/// The command named first, or "compile" when the first word is a file.
std::string takeCommand(std::vector<std::string> &words) {
  if (words.empty() || words[0].starts_with("-")) return "compile";
  if (commandBit(words[0])) {
    std::string command = words[0];
    words.erase(words.begin());
    return command;
  }
  if (words[0].find_first_of("./") != std::string::npos) return "compile";
  std::vector<std::string> names;
  for (const Command &c : commandTable()) names.emplace_back(c.name);
  throw UserError(unknownName("command", words[0], names));
}

void requireAtLeast(std::int64_t value, std::int64_t least, std::int64_t most, std::string_view option) {
  if (value < least || value > most)
    throw UserError(fmt::format("{} {} is out of range: expected {} to {}", option, value, least, most));
}

void takeSets(const std::vector<std::string> &sets, Options &o) {
  for (const std::string &s : sets) {
    std::size_t equals = s.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UserError(fmt::format("--set {}: expected NAME=VALUE", s));
    o.set[s.substr(0, equals)] = s.substr(equals + 1);
  }
}

/// "384K" and the like.
std::int64_t bytesIn(const std::string &text, const std::string &option) {
  constexpr std::string_view units = "KMG";
  constexpr std::int64_t most = std::int64_t{1} << 50;
  std::int64_t value = 0;
  const char *end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  const std::size_t unit = rest + 1 == end ? units.find(*rest) : std::string_view::npos;
  if (unit != std::string_view::npos && value <= most) value <<= 10 * (unit + 1), ++rest;
  if (error != std::errc() || rest != end || value < 1 || value > most)
    throw UserError(fmt::format("{} {}: expected a number of bytes, such as 512K, 3M or 1G", option, text));
  return value;
}

/// Boost's exceptions in netc's words.
[[noreturn]] void rethrow(const po::error &error, std::string_view command) {
  if (auto *e = dynamic_cast<const po::unknown_option *>(&error)) {
    const std::string &name = e->get_option_name();
    const std::string near = nearest(name, optionNames(commandBit(command)));
    const std::string all = fmt::format("'netc {} --help-all' lists them, and --set NAME=VALUE sets a const of the model", command);
    throw UserError(fmt::format("no option '{}'; {}", name, near.empty() ? all : fmt::format("did you mean '{}'?", near)));
  }
  if (auto *e = dynamic_cast<const po::error_with_option_name *>(&error)) {
    std::string name = e->get_option_name();
    if (name.size() == 3 && name.starts_with("--")) name.erase(0, 1); // -o
    const OptionRow *r = findRow(name);
    if (dynamic_cast<const po::multiple_occurrences *>(&error))
      throw UserError(fmt::format("{} is given twice", name));
    if (auto *v = dynamic_cast<const po::validation_error *>(&error); v && r)
      throw UserError(fmt::format("{}: expected {}", std::string(error.what()).substr(0, 200),
                                  std::string_view(r->value) == "N" ? "a whole number" : r->value));
    if (r) throw UserError(fmt::format("{} needs a value: {} {}", name, name, r->value));
  }
  throw UserError(error.what());
}

po::parsed_options parseWords(const std::vector<std::string> &words, const po::options_description &description) {
  po::positional_options_description positional;
  positional.add("file", -1);
  int style = (po::command_line_style::unix_style & ~po::command_line_style::allow_guessing);
  return po::command_line_parser(words).options(description).positional(positional).style(style).run();
}

void check(Options &o, const po::variables_map &vm) {
  requireAtLeast(o.batch, 1, 1 << 20, "--batch");
  requireAtLeast(o.epochs, 1, 1'000'000, "--epochs");
  requireAtLeast(o.steps, 0, 1'000'000'000'000, "--steps");
  requireAtLeast(o.threads, 1, 256, "--threads");
  requireAtLeast(o.keep, 1, 1'000'000, "--keep");
  requireAtLeast(o.top, 1, 1'000'000, "--top");
  requireAtLeast(o.budget, 1, 1'000'000, "--budget");
  if (o.validation && !(*o.validation >= 0 && *o.validation < 1))
    throw UserError(fmt::format("--validation {}: expected a part of the training data, from 0 to less than 1", *o.validation));
  requireAtLeast(o.seed, 0, std::numeric_limits<std::int64_t>::max(), "--seed");
  for (const char *name : {"checkpoint-every", "keep", "resume"})
    if (o.out.empty() && !vm[name].empty() && !vm[name].defaulted())
      throw UserError(fmt::format("--{} needs the folder of the training: --out DIR", name));
  if (!o.schedule.empty() && !o.tuning.empty()) throw UserError("--schedule and --tuning both give schedules");
  auto files = vm.count("file") ? vm["file"].as<std::vector<std::string>>() : std::vector<std::string>{};
  if (files.empty())
    throw UserError(fmt::format("'netc {}' needs a file, e.g. model.net; 'netc --help' shows the commands", o.command));
  o.input = files[0];
  o.allPlans = (o.command == "compile" || o.command == "tune") && o.plan.empty();
  o.files.assign(files.begin() + 1, files.end());
  if (!o.files.empty() && o.command != "predict")
    throw UserError(fmt::format("one file at a time: found '{}' and '{}'", files[0], files[1]));
  if (o.input.ends_with(".net")) return;
  if (o.selfTest) throw UserError("--selftest compares with the formulas of a .net file; what comes from one was changed already");
  if (o.predictOnly) throw UserError("--predict-only leaves out what a .net file says of training; what comes from one says it no more");
  if (!o.plan.empty()) throw UserError("--plan chooses a training plan of a .net file; what comes from one has a single plan");
}

} // namespace

std::string unknownName(const std::string &kind, const std::string &name, const std::vector<std::string> &known) {
  std::string near = nearest(name, known);
  if (!near.empty()) return fmt::format("no {} '{}'; did you mean '{}'?", kind, name, near);
  return fmt::format("no {} '{}'; there are {}", kind, name, fmt::join(known, ", "));
}

Options parseOptions(int argc, const char *const *argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  Options o;
  o.typed = "netc " + shellText(words);
  if (!words.empty() && words[0] == "help") { // "help train" is "train --help"
    words.erase(words.begin());
    words.resize(std::min<std::size_t>(words.size(), 1));
    words.emplace_back("--help");
  }
  if (words.empty()) {
    printGeneralHelp();
    return o;
  }
  if (words[0] == "--man" || words[0] == "--completion") {
    std::cout << page(words);
    return o;
  }
  bool commandNamed = commandBit(words[0]) != 0;
  o.command = takeCommand(words);
  std::vector<std::string> sets;
  std::string passes, maxMemory, dataMemory;
  po::options_description description = describe(o, sets, passes, maxMemory, dataMemory);
  try {
    po::parsed_options parsed = parseWords(words, description);
    po::variables_map vm;
    po::store(parsed, vm);
    if (vm.count("version")) {
      std::cout << version() << "\n";
      return {};
    }
    if (vm.count("help") || vm.count("help-all")) {
      if (commandNamed)
        printCommandHelp(commandTable()[static_cast<std::size_t>(std::countr_zero(commandBit(o.command)))], vm.count("help-all"));
      else printGeneralHelp();
      return {};
    }
    po::notify(vm);
    checkTaken(parsed, o.command);
    check(o, vm);
    o.passesGiven = vm.count("pass") > 0;
  } catch (const po::error &error) {
    rethrow(error, o.command);
  }
  takeSets(sets, o);
  if (!maxMemory.empty()) o.maxMemory = bytesIn(maxMemory, "--max-memory");
  if (!o.fastMath.empty() && o.fastMath != "winograd4") throw UserError(unknownName("--fast-math", o.fastMath, {"winograd4"}));
  if (!dataMemory.empty()) o.dataMemory = bytesIn(dataMemory, "--data-memory");
  if (o.augment && !o.input.ends_with(".net")) throw UserError("--augment takes the place of the data blocks of a .net file");
  if (!o.set.empty() && !o.input.ends_with(".net"))
    throw UserError("--set overrides a const of a .net file; what comes from one has none left");
  o.passes = splitAtCommas({passes});
  o.print = splitAtCommas(o.print);
  o.map = splitAtCommas(o.map);
  return o;
}

} // namespace netc::driver
