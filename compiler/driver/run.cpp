// netc run: arrays in, any named value or gradient out.
#include "compiler/driver/arrays.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/execution.h"
#include "compiler/driver/joined.h"
#include "compiler/driver/pipeline.h"
#include "compiler/driver/shapes.h"
#include "compiler/passes/passes.h"
#include "compiler/support/figures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>
#include <optional>

namespace netc::driver {
namespace {

struct Request {
  std::string name; // as the user wrote it: "y", "loss", "grad(w)"
  std::string file; // .npy to save to; empty: print
};

std::vector<Request> requests(const Options &o) {
  std::vector<Request> list;
  for (const std::string &name : o.print) list.push_back({name, ""});
  for (const std::string &s : o.save) {
    std::size_t equals = s.rfind('=');
    if (equals == std::string::npos || equals == 0 || !s.ends_with(".npy"))
      throw UserError(fmt::format("--save {}: expected NAME=FILE.npy", s));
    list.push_back({s.substr(0, equals), s.substr(equals + 1)});
  }
  if (list.empty()) throw UserError("nothing to do: expected --print NAME or --save NAME=FILE.npy");
  return list;
}

std::optional<std::string> gradientOf(const std::string &name) {
  if (!name.starts_with("grad(") || !name.ends_with(")")) return {};
  return name.substr(5, name.size() - 6);
}

/// The tensor of a name in an entry: a tensor or a result; -1: none.
int findValue(const graph::Graph &entry, const std::string &name) {
  if (int t = entry.find(name); t >= 0) return t;
  for (const graph::Result &r : entry.results)
    if (r.name == name) return r.tensor;
  return -1;
}

bool hasLoss(const graph::Graph &entry) {
  return std::any_of(entry.results.begin(), entry.results.end(),
                     [](const graph::Result &r) { return r.kind == graph::Result::Kind::Loss; });
}

/// The gradient placeholder for `of`, made if need be; -1: `of` is unknown or no loss is there.
int placeholder(graph::Graph &entry, const std::string &of) {
  int tensor = entry.find(of);
  if (tensor < 0 || !hasLoss(entry)) return -1;
  for (std::size_t i = 0; i < entry.tensors.size(); ++i)
    if (entry.tensors[i].kind == graph::TensorKind::Gradient && entry.tensors[i].of == tensor) return static_cast<int>(i);
  graph::Tensor t;
  t.name = of + ".grad";
  t.shape = entry.tensors[static_cast<std::size_t>(tensor)].shape;
  t.kind = graph::TensorKind::Gradient;
  t.of = tensor;
  return entry.addTensor(t);
}

/// The tensors of all requests in an entry; empty when one is missing there.
std::vector<int> resolve(graph::Graph &entry, const std::vector<Request> &list) {
  std::vector<int> tensors;
  for (const Request &r : list) {
    auto of = gradientOf(r.name);
    int t = of ? placeholder(entry, *of) : findValue(entry, r.name);
    if (t < 0) return {};
    tensors.push_back(t);
  }
  return tensors;
}

/// Results, then what else the source names (no dot inside); each name once.
std::vector<std::string> namedValues(const graph::Module &module) {
  std::vector<std::string> names;
  auto add = [&](const std::string &name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const graph::Graph &entry : module.entries)
    for (const graph::Result &r : entry.results) add(r.name);
  for (const graph::Graph &entry : module.entries)
    for (const graph::Tensor &t : entry.tensors)
      if (t.name.find('.') == std::string::npos) add(t.name);
  return names;
}

[[noreturn]] void unknownValue(const std::string &name, const graph::Module &module, const std::vector<std::string> &known) {
  std::vector<std::string> named = namedValues(module);
  std::string near = nearest(name, known);
  for (const std::string &n : named)
    if (near.empty() && n.starts_with(name)) near = n;
  throw UserError(fmt::format("no value '{}'; there are {}{}", name, fmt::join(named, ", "),
                              near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

[[noreturn]] void unresolved(const graph::Module &module, const std::vector<Request> &list) {
  std::vector<std::string> known;
  for (const graph::Graph &entry : module.entries) {
    for (const graph::Tensor &t : entry.tensors) known.push_back(t.name);
    for (const graph::Result &r : entry.results) known.push_back(r.name);
  }
  for (const Request &r : list) {
    std::string name = gradientOf(r.name).value_or(r.name);
    if (std::find(known.begin(), known.end(), name) == known.end()) unknownValue(name, module, known);
  }
  if (std::any_of(list.begin(), list.end(), [](const Request &r) { return gradientOf(r.name).has_value(); }))
    throw UserError("a gradient needs a loss: no entry of the model has one together with all the values asked for");
  throw UserError("no entry of the model has all the values asked for; ask for them one by one");
}

/// One entry with the requested tensors as its only results.
struct Chosen {
  graph::Module module;
  std::vector<int> tensors;
};

/// The module's entries; last predict and evaluate as one, for outputs beside losses and gradients of the same pass.
std::vector<graph::Graph> candidates(const graph::Module &module) {
  std::vector<graph::Graph> list = module.entries;
  const graph::Graph *predict = module.entry("predict"), *evaluate = module.entry("evaluate");
  if (predict && evaluate)
    if (auto both = joined(*evaluate, *predict)) list.push_back(std::move(*both));
  return list;
}

Chosen choose(const graph::Module &module, const std::vector<Request> &list) {
  for (const graph::Graph &entry : candidates(module)) {
    graph::Module one{module.name, module.batch, {entry}, module.winograd4};
    std::vector<int> tensors = resolve(one.entries[0], list);
    if (!tensors.empty()) return {std::move(one), std::move(tensors)};
  }
  unresolved(module, list);
}

/// --input NAME=FILE for every shared tensor; values and the batch count.
Inputs readInputs(const Options &o, const graph::Graph &entry) {
  Inputs inputs;
  for (const std::string &s : o.inputs) {
    std::size_t equals = s.find('=');
    if (equals == std::string::npos || equals == 0) throw UserError(fmt::format("--input {}: expected NAME=FILE", s));
    std::string name = s.substr(0, equals);
    int t = entry.find(name);
    std::vector<std::string> known;
    for (int i = 0; i < entry.sharedCount(); ++i) known.push_back(entry.tensors[static_cast<std::size_t>(i)].name);
    if (t < 0 || t >= entry.sharedCount()) throw UserError(driver::unknownName("input", name, known));
    const graph::Tensor &tensor = entry.tensors[static_cast<std::size_t>(t)];
    inputs.add(tensor, t, readArray(s.substr(equals + 1), tensor.dtype), s.substr(equals + 1));
  }
  return inputs;
}

/// The values in row-major order.
std::string jsonLine(const std::string &name, const Array &a) {
  std::string values;
  for (double v : a.values) values += (values.empty() ? "" : ", ") + jsonNumber(v);
  return fmt::format("{{\"name\": {}, \"shape\": [{}], \"values\": [{}]}}\n", jsonString(name), fmt::join(a.shape, ", "), values);
}

} // namespace

int runCommand(const Options &o) {
  std::vector<Request> list = requests(o);
  Chosen chosen = choose(sourceGraph(o), list);
  graph::Graph &entry = chosen.module.entries[0];
  Inputs inputs = readInputs(o, entry);
  passes::run(passes::stablePipeline(), entry); // the formulas as written may overflow
  std::vector<Array> values;
  if (o.engine.empty() || o.engine == "eval" || o.engine == "eval32") values = evaluateTensors(chosen.module, chosen.tensors, inputs, o);
  else if (o.engine == "jit") values = executeTensors(chosen.module, chosen.tensors, inputs, o);
  else throw UserError(fmt::format("--engine {}: expected eval, eval32 or jit", o.engine));
  for (std::size_t i = 0; i < list.size(); ++i) {
    DType type = entry.tensors[static_cast<std::size_t>(chosen.tensors[i])].dtype;
    if (list[i].file.empty()) std::cout << (o.json ? jsonLine(list[i].name, values[i]) : printed(list[i].name, values[i], type));
    else writeArray(list[i].file, values[i], type);
  }
  return 0;
}

} // namespace netc::driver
