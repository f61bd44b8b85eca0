// Interprets an entry of a .loops file and prints what it computes and what the interpreter finds wrong.
//
//   netc_loop_test FILE.loops [--entry E] [--count N] [--input NAME=1,2,3] [--store NAME=1,2,3] [--set step=3]
//                  [--pass a,b|pipeline] [--reverse] [--compare] [--time] [--quiet]
//
// An input or parameter that is not given holds seeded numbers. Prints each output, then the parameters when the entry
// writes them, then the problems. --compare interprets the entry before and after the passes, for counts from 1 to the
// batch, and fails unless all outputs and stores have the same bits.
#include "compiler/loop/interpreter.h"
#include "compiler/loop/kernel_verifier.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/text.h"
#include "compiler/loop/verifier.h"
#include "compiler/support/text_file.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <iostream>
#include <map>
#include <random>
#include <sstream>

using namespace netc;
using namespace netc::loop;

namespace {

struct Options {
  std::string file, entry, passes;
  std::int64_t count = 1;
  std::map<std::string, std::string> inputs, store;
  ScalarInputs scalars;
  bool reverse = false, compare = false, time = false, quiet = false;
};

std::pair<std::string, std::string> assignment(const std::string &text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) throw UserError(fmt::format("expected NAME=VALUES, found '{}'", text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Options readOptions(int argc, char **argv) {
  Options o;
  const auto value = [&](int &i) {
    if (i + 1 >= argc) throw UserError(fmt::format("{} needs a value", argv[i]));
    return std::string(argv[++i]);
  };
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a == "--entry") o.entry = value(i);
    else if (a == "--count") o.count = std::stoll(value(i));
    else if (a == "--pass") o.passes = value(i);
    else if (a == "--input") o.inputs.insert(assignment(value(i)));
    else if (a == "--store") o.store.insert(assignment(value(i)));
    else if (a == "--set") {
      const auto [name, number] = assignment(value(i));
      (name == "step" ? o.scalars.step : name == "epoch" ? o.scalars.epoch : o.scalars.steps) = std::stod(number);
    } else if (a == "--reverse") o.reverse = true;
    else if (a == "--compare") o.compare = true;
    else if (a == "--time") o.time = true;
    else if (a == "--quiet") o.quiet = true;
    else if (a.starts_with("--")) throw UserError(fmt::format("unknown option {}", a));
    else o.file = a;
  }
  return o;
}

void writeElement(std::uint8_t *p, DType type, double v) {
  if (type == DType::F32) {
    const float f = static_cast<float>(v);
    std::memcpy(p, &f, 4);
  } else if (type == DType::I32) {
    const auto n = static_cast<std::int32_t>(v);
    std::memcpy(p, &n, 4);
  } else {
    *p = static_cast<std::uint8_t>(v);
  }
}

std::string element(const std::uint8_t *p, DType type) {
  if (byteSize(type) == 1) return std::to_string(*p);
  if (type == DType::F32) {
    float f;
    std::memcpy(&f, p, 4);
    return std::isnan(f) ? "nan" : fmt::format("{}", f);
  }
  std::int32_t n;
  std::memcpy(&n, p, 4);
  return std::to_string(n);
}

std::string elements(const std::uint8_t *p, std::int64_t bytes, DType type) {
  std::string s;
  for (std::int64_t i = 0; i < bytes; i += byteSize(type)) s += " " + element(p + i, type);
  return s;
}

/// The numbers of a list, or seeded ones: uniform in -1..1, or integers of 0 <= n < classes.
void fill(std::uint8_t *p, std::int64_t count, DType type, const std::string *text, int classes, std::uint32_t seed) {
  if (text) {
    std::istringstream in(*text);
    std::string word;
    for (std::int64_t i = 0; i < count && std::getline(in, word, ','); ++i)
      writeElement(p + i * byteSize(type), type, std::stod(word));
    return;
  }
  std::mt19937 random(seed);
  for (std::int64_t i = 0; i < count; ++i) {
    const double u = static_cast<double>(random()) / 4294967296.0;
    const int range = classes > 0 ? classes : type == DType::Bool ? 2 : 256;
    writeElement(p + i * byteSize(type), type, type == DType::F32 ? 2 * u - 1 : std::floor(u * range));
  }
}

const std::string *given(const std::map<std::string, std::string> &values, const std::string &name) {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : &found->second;
}

bool isStored(const Tensor &t) { return t.role == Tensor::Role::Param || t.role == Tensor::Role::State; }

std::int64_t planned(const Tensor &t) {
  std::int64_t n = 1;
  for (const std::int64_t d : t.shape) n *= d;
  return n;
}

Memory makeMemory(const Program &p, const Options &o, std::int64_t count) {
  Memory m;
  m.store.resize(p.storeBytes);
  std::uint32_t seed = 1;
  for (const Tensor &t : p.tensors)
    if (isStored(t)) fill(m.store.data() + t.store, planned(t), t.type, given(o.store, t.name), 0, seed++);
  for (const Slot &s : inputSlots(p)) {
    int classes = 0;
    for (const Tensor &t : p.tensors)
      if (t.name == s.name) classes = t.classes;
    const std::int64_t size = s.row > 0 ? s.row * count : s.elements;
    m.inputs.emplace_back(size * byteSize(s.type));
    fill(m.inputs.back().data(), size, s.type, given(o.inputs, s.name), classes, seed++);
  }
  return m;
}

void runPasses(Program &p, const std::string &list) {
  std::istringstream in(list);
  std::string name;
  while (std::getline(in, name, ',')) {
    const Pass *pass = findPass(name);
    if (!pass && name != "pipeline") throw UserError(fmt::format("unknown pass '{}'", name));
    for (Entry &e : p.entries)
      for (Kernel &k : e.kernels) pass ? pass->run(e, k, p.batch) : optimize(e, k, p.batch);
    Diagnostics diag;
    if (!verify(p, diag)) throw UserError(fmt::format("after {}:\n{}", name, diag.str()));
  }
}

Program load(const Options &o) {
  Diagnostics diag;
  Program p = parse(readFile(o.file), o.file, diag);
  if (!diag.hasErrors()) verify(p, diag);
  if (diag.hasErrors()) throw UserError(diag.str());
  return p;
}

const Entry &chosenEntry(const Program &p, const Options &o) {
  const Entry *e = o.entry.empty() ? (p.entries.empty() ? nullptr : &p.entries[0]) : p.entry(o.entry);
  if (!e) throw UserError(fmt::format("no entry '{}'", o.entry));
  return *e;
}

std::vector<std::string> interpretWith(const Program &p, const Options &o, Memory &m, std::int64_t count) {
  return interpret(p, chosenEntry(p, o), m, {count, o.scalars, o.reverse});
}

int compare(const Options &o) {
  const Program before = load(o);
  Program after = before;
  runPasses(after, o.passes);
  int failures = 0, runs = 0;
  for (std::int64_t count = 1; count <= before.batch; ++count, ++runs) {
    Memory a = makeMemory(before, o, count), b = a;
    for (const Program *program : {&before, static_cast<const Program *>(&after)})
      for (const std::string &problem : interpretWith(*program, o, program == &before ? a : b, count))
        fmt::print("count {}, {}: {}\n", count, program == &before ? "before" : "after", problem), ++failures;
    if (a.store == b.store && a.outputs == b.outputs) continue;
    fmt::print("count {}: the bits differ\n", count);
    ++failures;
  }
  fmt::print("{} runs, {} failures\n", runs, failures);
  return failures > 0;
}

int run(const Options &o) {
  if (o.compare) return compare(o);
  Program p = load(o);
  runPasses(p, o.passes);
  Memory m = makeMemory(p, o, o.count);
  const std::vector<std::uint8_t> storeBefore = m.store;
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::string> problems = interpretWith(p, o, m, o.count);
  if (o.time) fmt::print("{:.2f} s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  const std::vector<Slot> slots = outputSlots(chosenEntry(p, o));
  for (std::size_t i = 0; i < slots.size() && i < m.outputs.size() && !o.quiet; ++i)
    fmt::print("{}:{}\n", slots[i].name, elements(m.outputs[i].data(), m.outputs[i].size(), slots[i].type));
  for (const Tensor &t : p.tensors)
    if (isStored(t) && m.store != storeBefore && !o.quiet)
      fmt::print("{}:{}\n", t.name, elements(m.store.data() + t.store, planned(t) * byteSize(t.type), t.type));
  for (const std::string &problem : problems) fmt::print("problem: {}\n", problem);
  return problems.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
  try {
    return run(readOptions(argc, argv));
  } catch (const std::exception &e) {
    std::cerr << e.what() << "\n";
    return 2;
  }
}
