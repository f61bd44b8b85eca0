// Random formulas, values and gradients, through every engine: the passes against the evaluator, all engines against each
// other bit by bit, and their values against float64 within a computed bound.
//
//   netc_fuzz [--seed S] [--entries E] [--formulas F] [--batch N] [--out DIR] [--runtime DIR --cxx COMPILER ... --aarch64 COMPILER
//   --emulator PROGRAM]
#include "compiler/grad/differentiate.h"
#include "compiler/graph/evaluator.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verifier.h"
#include "compiler/loop/passes.h"
#include "compiler/passes/passes.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/plan.h"
#include "compiler/support/text_file.h"
#include "test/fuzz/engines.h"
#include "test/fuzz/random_graph.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <limits>

using namespace netc;
using namespace netc::fuzz;

namespace {

constexpr int maxReports = 10;

struct Arguments {
  std::uint64_t seed = 1;
  Size size;
  std::string out = ".", runtime, aarch64, emulator;
  std::vector<std::string> compilers;
};

struct Tally {
  int formulas = 0, irregular = 0, gradients = 0, calls = 0, failures = 0;
  std::int64_t equal = 0, bounded = 0, unbounded = 0, nonzero = 0;
};

/// The bytes of a .npy file, version 1.
std::string npy(const graph::Tensor &t, std::int64_t count, const std::vector<double> &values) {
  std::string shape;
  for (const graph::Extent &e : t.shape)
    shape += fmt::format("{}, ", e.batch ? count : e.size);
  const char *type = t.dtype == DType::F32 ? "<f4" : t.dtype == DType::I32 ? "<i4" : "|u1";
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({})}}", type, shape);
  while ((header.size() + 11) % 64 != 0)
    header += ' ';
  header += '\n';
  const Bytes data = toBytes(values, t.dtype);
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 255) + static_cast<char>(header.size() >> 8) + header +
         std::string(data.begin(), data.end());
}

class Checker {
public:
  explicit Checker(Arguments a) : args(std::move(a)) {}

  bool run() {
    source = randomModule(args.seed, args.size);
    const std::string path = fmt::format("{}/fuzz{}.graph", args.out, args.seed);
    roundTrip(path);
    prepareEntries();
    buildEngines();
    for (std::size_t e = 0; e < optimized.entries.size(); ++e)
      for (std::int64_t count : {std::int64_t(1), std::int64_t(15), std::int64_t(16), std::int64_t(17), args.size.batch})
        if (count <= args.size.batch) check(e, count);
    return summary(path);
  }

private:
  void fail(const std::string &entry, const std::string &what) {
    if (++tally.failures <= maxReports)
      fmt::print("seed {} {}: {}\n", args.seed, entry, what);
  }

  void roundTrip(const std::string &path) {
    const std::string text = graph::print(source);
    writeFile(path, text);
    Diagnostics diag;
    if (graph::print(graph::parse(text, path, diag)) != text || diag.hasErrors())
      fail("module", "print -> parse -> print is not the identity\n" + diag.str());
  }

  /// Each entry through the pipeline on its own, so that one failure does not hide the others.
  void prepareEntries() {
    optimized = differentiated = graph::Module{source.name, source.batch, {}};
    for (const graph::Graph &entry : source.entries) {
      try {
        graph::Graph plain = entry, fast = entry;
        Diagnostics diag;
        if (!grad::differentiate(plain, diag) || !graph::verify(plain, diag))
          internalError("differentiation: " + diag.str());
        passes::run(passes::forwardPipeline(), fast);
        if (!grad::differentiate(fast, diag) || !graph::verify(fast, diag))
          internalError("differentiation after the forward passes: " + diag.str());
        passes::run(passes::completePipeline(), fast);
        for (const char *target : {"x86-64-v4", "x86-64-v3"})
          lowered({source.name, source.batch, {fast}}, target);
        differentiated.entries.push_back(std::move(plain));
        optimized.entries.push_back(std::move(fast));
        count(entry);
      } catch (const std::exception &e) {
        fail(entry.name, e.what());
      }
    }
  }

  void count(const graph::Graph &entry) {
    for (const graph::Formula &f : entry.formulas)
      if (entry.tensors[f.target].name.starts_with("y") && !entry.tensors[f.target].name.ends_with(".total")) {
        ++tally.formulas;
        tally.irregular += isIrregular(f);
      }
    for (const graph::Tensor &t : entry.tensors)
      tally.gradients += t.kind == graph::TensorKind::Gradient;
  }

  void buildEngines() {
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw");
    for (const char *target : {"x86-64-v4", "x86-64-v3"})
      programs.push_back(lowered(optimized, target));
    engines.push_back(interpreter(programs[0], false));
    engines.push_back(interpreter(programs[1], true));
    for (const loop::Program &p : programs)
      unrolled.push_back(unroll(p));
    for (const loop::Program &p : unrolled) {
      if (p.target == "x86-64-v4" && !wide)
        continue;
      targets.push_back(p.target);
      jits.push_back(std::make_unique<codegen::Jit>(p));
      addCompiled("jit", *jits.back()->model(), p.target);
    }
    for (const std::string &compiler : args.compilers) {
      std::string problem;
      const NetcModel *model = highwayModel(unrolled, fmt::format("{}/fuzz{}", args.out, args.seed), compiler, args.runtime, problem);
      if (!model)
        fail("highway", problem);
      else
        for (const std::string &target : targets)
          addCompiled("highway " + compiler, *model, target);
    }
    if (!args.aarch64.empty()) addRemote();
  }

  static loop::Program lowered(graph::Module optimized, const char *target) {
    schedule::prepare(optimized);
    return schedule::compile(std::move(optimized), findTarget(target));
  }

  static loop::Program unroll(loop::Program p) {
    for (loop::Entry &e : p.entries)
      for (loop::Kernel &k : e.kernels)
        loop::unroll(k, p.batch);
    return p;
  }

  void addRemote() {
    elsewhere = unroll(lowered(optimized, "aarch64"));
    std::string problem;
    auto engine = remote(elsewhere, fmt::format("{}/fuzz{}", args.out, args.seed), args.aarch64, args.emulator, args.runtime, problem);
    if (!engine) return fail("aarch64", problem);
    engines.push_back(std::move(engine));
  }

  void addCompiled(const std::string &name, const NetcModel &model, const std::string &target) {
    for (unsigned threads : {1u, 2u, 4u})
      engines.push_back(compiled(name, model, target, threads));
  }

  /// Values in (-1, 1); in every third tensor multiples of 1/8, so that extrema tie.
  std::vector<double> randomValues(const graph::Tensor &t, std::int64_t count, Random &r) {
    std::size_t n = 1;
    for (const graph::Extent &e : t.shape)
      n *= static_cast<std::size_t>(e.batch ? count : e.size);
    const bool coarse = r.chance(33);
    std::vector<double> values(n);
    for (double &v : values) {
      if (t.dtype == DType::F32)
        v = coarse ? r.between(-8, 8) / 8.0 : static_cast<double>(static_cast<float>(r.uniform(-1, 1)));
      else
        v = r.below(t.classes > 0 ? t.classes : 256);
    }
    return values;
  }

  Call makeCall(const graph::Graph &g, std::int64_t count, graph::Values &values, Random &r) {
    Call call;
    call.count = count;
    call.step = (std::uint64_t(1) << 30) + static_cast<std::uint64_t>(count); // more than a float32 can tell apart
    for (int t = 0; t < g.sharedCount(); ++t)
      if (g.tensors[t].kind != graph::TensorKind::Constant)
        values[t] = randomValues(g.tensors[t], count, r);
    for (const loop::Tensor &t : programs[0].tensors) {
      const std::vector<double> &v = values.at(g.find(t.name));
      if (t.role == loop::Tensor::Role::Input || t.role == loop::Tensor::Role::Target)
        call.inputs.push_back(toBytes(v, t.type));
      else
        call.store[t.name] = {v.begin(), v.end()};
    }
    return call;
  }

  void check(std::size_t e, std::int64_t count) {
    const graph::Graph &g = optimized.entries[e];
    Random r(args.seed * 1000003 + e * 101 + static_cast<std::uint64_t>(count));
    graph::Values values, errors;
    const Call call = makeCall(g, count, values, r);
    graph::Evaluation how;
    how.count = count;
    how.scalars.seed = seed;
    how.scalars.step = static_cast<double>(call.step);
    graph::Values plain = values;
    graph::evaluate(differentiated.entries[e], plain, how);
    graph::evaluateWithBound(g, values, errors, how);
    comparePasses(e, plain, values);
    const int before = tally.failures;
    std::vector<Bytes> first;
    for (const auto &engine : engines) {
      std::string problem;
      std::vector<Bytes> results = engine->run(programs[0].entries[e], call, problem);
      ++tally.calls;
      if (!problem.empty())
        fail(g.name, fmt::format("{}, count {}: {}", engine->name, count, problem));
      if (engine == engines.front()) {
        first = std::move(results);
        compareWithBound(g, first, values, errors, count);
      } else {
        compareBits(g, first, results, engine->name, count);
      }
    }
    if (tally.failures > before && before < maxReports)
      save(e, count, values);
  }

  /// The failing entry and its inputs, for `netc run`.
  void save(std::size_t e, std::int64_t count, const graph::Values &values) {
    const graph::Graph &g = optimized.entries[e];
    const graph::Graph *entry = source.entry(g.name);
    const std::string folder = fmt::format("{}/{}-{}", args.out, g.name, count);
    std::filesystem::create_directories(folder);
    writeFile(folder + "/entry.graph", graph::print(graph::Module{source.name, source.batch, {*entry}}));
    for (int t = 0; t < g.sharedCount(); ++t)
      if (g.tensors[t].kind != graph::TensorKind::Constant)
        writeFile(fmt::format("{}/{}.npy", folder, g.tensors[t].name), npy(g.tensors[t], count, values.at(t)));
    fmt::print("  reproduce it in {}: netc run entry.graph --input NAME=NAME.npy ... --print VALUE --engine jit\n", folder);
  }

  /// The passes keep values: float64 before and after, up to rounding in float64.
  void comparePasses(std::size_t e, const graph::Values &before, const graph::Values &after) {
    const graph::Graph &a = differentiated.entries[e], &b = optimized.entries[e];
    for (std::size_t k = 0; k < a.results.size(); ++k) {
      const std::vector<double> &x = before.at(a.results[k].tensor), &y = after.at(b.results[k].tensor);
      double scale = 1;
      for (double v : x)
        scale = std::isfinite(v) ? std::max(scale, std::fabs(v)) : scale;
      for (std::size_t i = 0; i < x.size(); ++i)
        if (!(std::fabs(x[i] - y[i]) <= 1e-9 * scale) && !(std::isnan(x[i]) && std::isnan(y[i])) && x[i] != y[i])
          return fail(a.name, fmt::format("the passes change {}[{}] from {} to {}", a.results[k].name, i, x[i], y[i]));
    }
  }

  void compareWithBound(const graph::Graph &g, const std::vector<Bytes> &found, const graph::Values &values,
                        const graph::Values &errors, std::int64_t count) {
    for (std::size_t k = 0; k < g.results.size(); ++k) {
      const int t = g.results[k].tensor;
      const std::vector<double> got = fromBytes(found[k], g.tensors[t].dtype);
      const std::vector<double> &want = values.at(t), &error = errors.at(t);
      if (got.size() != want.size())
        return fail(g.name, fmt::format("{} has {} values, expected {}", g.results[k].name, got.size(), want.size()));
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (!std::isfinite(error[i]) || !std::isfinite(want[i])) {
          ++tally.unbounded;
          continue;
        }
        ++tally.bounded;
        tally.nonzero += want[i] != 0;
        if (!(std::fabs(got[i] - want[i]) <= error[i]))
          return fail(g.name, fmt::format("{}[{}] is {}, expected {} within {} (count {})", g.results[k].name, i, got[i], want[i],
                                          error[i], count));
      }
    }
  }

  void compareBits(const graph::Graph &g, const std::vector<Bytes> &expected, const std::vector<Bytes> &found,
                   const std::string &engine, std::int64_t count) {
    for (std::size_t k = 0; k < g.results.size(); ++k) {
      tally.equal += static_cast<std::int64_t>(expected[k].size());
      if (expected[k] == found[k])
        continue;
      const DType type = g.tensors[g.results[k].tensor].dtype;
      const std::vector<double> x = fromBytes(expected[k], type), y = fromBytes(found[k], type);
      if (x.size() != y.size())
        return fail(g.name,
                    fmt::format("{}, count {}: {} has {} values, expected {}", engine, count, g.results[k].name, y.size(), x.size()));
      for (std::size_t i = 0; i < x.size(); ++i)
        if (std::signbit(x[i]) != std::signbit(y[i]) || x[i] != y[i])
          if (!(std::isnan(x[i]) && std::isnan(y[i]))) // payloads are outside the claim
            return fail(g.name, fmt::format("{}, count {}: {}[{}] is {}, the interpreter gives {}", engine, count, g.results[k].name, i,
                                            y[i], x[i]));
    }
  }

  bool summary(const std::string &path) const {
    fmt::print("{} formulas ({} irregular) and {} gradients, {} engines, {} calls: {} bytes compared bit by bit, {} values within their "
               "bound ({} without one, {} not zero), {} failures\n",
               tally.formulas, tally.irregular, tally.gradients, engines.size(), tally.calls, tally.equal, tally.bounded,
               tally.unbounded, tally.nonzero, tally.failures);
    const bool meaningful =
        tally.irregular * 2 >= tally.formulas && tally.bounded > 9 * tally.unbounded && tally.nonzero * 4 > tally.bounded;
    if (!meaningful)
      fmt::print("the test is weaker than it should be: too few irregular formulas, bounds or values\n");
    if (tally.failures > 0)
      fmt::print("the formulas are in {}\n", path);
    return meaningful && tally.failures == 0;
  }

  Arguments args;
  graph::Module source, differentiated, optimized;
  std::vector<loop::Program> programs, unrolled; // v4, v3
  loop::Program elsewhere;                       // aarch64
  std::vector<std::string> targets;              // that this machine runs
  std::vector<std::unique_ptr<codegen::Jit>> jits;
  std::vector<std::unique_ptr<Engine>> engines;
  Tally tally;
};

Arguments parse(int argc, char **argv) {
  Arguments a;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--seed") a.seed = std::stoull(value);
    else if (name == "--entries") a.size.entries = std::stoi(value);
    else if (name == "--formulas") a.size.formulas = std::stoi(value);
    else if (name == "--batch") a.size.batch = std::stoi(value);
    else if (name == "--out") a.out = value;
    else if (name == "--runtime") a.runtime = value;
    else if (name == "--aarch64") a.aarch64 = value;
    else if (name == "--emulator") a.emulator = value;
    else if (name == "--cxx") a.compilers.push_back(value);
    else throw UserError("unknown option " + name);
  }
  std::filesystem::create_directories(a.out);
  return a;
}

} // namespace

int main(int argc, char **argv) {
  try {
    return Checker(parse(argc, argv)).run() ? 0 : 1;
  } catch (const std::exception &e) {
    fmt::print(stderr, "netc_fuzz: {}\n", e.what());
    return 1;
  }
}
