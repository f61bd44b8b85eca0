// Faults injected one by one into the rules of derivation, rewriting and scheduling, and how many of them the self-test of an
// artefact finds. A fault that changes no result by more than rounding is none and does not count; neither does one that
// the verifiers refuse, as no artefact comes of it.
//
//   netc_mutation_test [--every K] FILE.net...     only each K-th fault
#include "compiler/codegen/llvm/llvm.h"
#include "compiler/driver/reference.h"
#include "compiler/grad/differentiate.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verifier.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/text.h"
#include "compiler/loop/verifier.h"
#include "compiler/loop/walk.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/rules.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/plan.h"
#include "compiler/support/text_file.h"
#include "dsl/dsl.h"
#include "netc/random.h"
#include "netc/self_test.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>

using namespace netc;

namespace {

constexpr std::int64_t batch = 20;
constexpr double rounding = 1e-4; // of a tensor's largest value: what a fault must change at least
constexpr int loopFaults = 60;    // for each model
constexpr double share = 0.95;    // of the faults to be found

struct Outcome {
  std::map<std::string, std::vector<double>> values;
};

/// A model compiled through the whole pipeline, with what stands for a fault in it.
struct Compiled {
  graph::Module source, differentiated, optimized;
  loop::Program program;
};

graph::Module parsed(const std::string &file) {
  Diagnostics diag;
  auto module = dsl::compile(readFile(file), file, {batch, {}, {}}, diag);
  if (!module) throw UserError(diag.str());
  return *module;
}

void runPasses(std::span<const passes::Pass> list, graph::Module &module) {
  for (graph::Graph &entry : module.entries) passes::run(list, entry, [](std::string_view) {});
}

void differentiate(graph::Module &module, const grad::DerivativeTable &table) {
  Diagnostics diag;
  for (graph::Graph &entry : module.entries) {
    const bool asks = std::any_of(entry.tensors.begin(), entry.tensors.end(),
                                  [](const graph::Tensor &t) { return t.kind == graph::TensorKind::Gradient; });
    if (asks) grad::differentiate(entry, diag, table);
    else grad::dropGivenDerivatives(entry);
  }
  if (diag.hasErrors()) throw UserError(diag.str());
}

Compiled compiled(const graph::Module &source, const grad::DerivativeTable &table = grad::standardDerivative) {
  Compiled c{source, source, source, {}};
  differentiate(c.differentiated, table);
  runPasses(passes::forwardPipeline(), c.optimized);
  differentiate(c.optimized, table);
  runPasses(passes::completePipeline(), c.optimized);
  Diagnostics diag;
  if (!graph::verify(c.optimized, diag)) throw UserError(diag.str());
  graph::Module prepared = c.optimized;
  schedule::prepare(prepared);
  c.program = schedule::compile(std::move(prepared), findTarget("native"));
  for (loop::Entry &entry : c.program.entries)
    for (loop::Kernel &kernel : entry.kernels) loop::unroll(kernel, batch);
  return c;
}

codegen::Reference formulas(const Compiled &c) { return driver::reference(c.source, c.differentiated, c.program.tensors); }

/// All results and the whole store after one call of each entry, on drawn data.
Outcome run(const NetcModel &model) {
  Outcome outcome;
  for (const std::size_t count : {std::size_t{17}, std::size_t{20}}) {
    Options options;
    options.seed = 7;
    Core core(model, options);
    std::vector<std::vector<unsigned char>> bytes;
    std::vector<const void *> inputs;
    for (std::int64_t i = 0; i < model.tensorCount; ++i) {
      const NetcTensor &t = model.tensors[i];
      if (t.role == NETC_PARAM || t.role == NETC_STATE) continue;
      std::size_t n = 1;
      for (std::int64_t d = 0; d < t.rank; ++d) n *= static_cast<std::size_t>(t.shape[d]);
      bytes.emplace_back(4 * n);
      for (std::size_t k = 0; k < n; ++k) {
        const float unit = unitReal(threefry(streamKey(99, t.name), k)), real = 2 * unit - 1;
        const auto whole = static_cast<std::int32_t>(unit * static_cast<float>(t.classes ? t.classes : t.type == NETC_U8 ? 256 : 2));
        if (t.type == NETC_F32) std::memcpy(&bytes.back()[4 * k], &real, 4);
        else if (t.type == NETC_I32) std::memcpy(&bytes.back()[4 * k], &whole, 4);
        else bytes.back()[k] = static_cast<unsigned char>(whole);
      }
    }
    for (const auto &b : bytes) inputs.push_back(b.data());
    const NetcTarget &target = model.targets[0];
    for (std::int64_t e = 0; e < target.entryCount; ++e) {
      const NetcEntry &entry = target.entries[e];
      std::vector<std::vector<float>> memory;
      std::vector<void *> outputs;
      for (std::int64_t r = 0; r < entry.resultCount; ++r) {
        std::size_t n = 1;
        for (std::int64_t d = 0; d < entry.results[r].rank; ++d)
          n *= d == 0 && entry.results[r].batch ? count : static_cast<std::size_t>(entry.results[r].shape[d]);
        memory.emplace_back(n);
      }
      for (auto &m : memory) outputs.push_back(m.data());
      core.run(entry.name, inputs.data(), outputs.data(), count);
      outcome.values[fmt::format("{} {} status", count, entry.name)] = {static_cast<double>(core.status())};
      for (std::size_t r = 0; r < memory.size(); ++r)
        outcome.values[fmt::format("{} {} {}", count, entry.name, entry.results[r].name)].assign(memory[r].begin(), memory[r].end());
    }
    const auto keep = [&](Tensor t) {
      std::vector<float> values(t.size());
      t.get(values.data());
      outcome.values[fmt::format("{} {}", count, t.name())].assign(values.begin(), values.end());
    };
    for (std::size_t i = 0; i < core.parameterCount(); ++i) keep(core.parameter(i));
    for (std::size_t i = 0; i < core.stateCount(); ++i) keep(core.state(i));
  }
  return outcome;
}

/// Beyond rounding.
bool differ(const Outcome &a, const Outcome &b) {
  for (const auto &[name, values] : a.values) {
    const std::vector<double> &other = b.values.at(name);
    double most = 0, worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      most = std::max(most, std::fabs(values[i]));
      const double d = std::fabs(values[i] - other[i]);
      if (values[i] != other[i]) worst = std::max(worst, d == d ? d : HUGE_VAL);
    }
    if (worst > rounding * most) return true;
  }
  return false;
}

struct Tally {
  int every;
  int injected = 0, found = 0, refused = 0, harmless = 0, offered = 0;
  std::vector<std::string> missed = {};

  bool takes() { return offered++ % every == 0; }
};

/// Judges a faulty program against the results of the right one.
void judge(Tally &tally, const loop::Program &faulty, const codegen::Reference &reference, const Outcome &right, const std::string &what) {
  const codegen::Jit jit(faulty, reference);
  if (!differ(run(*jit.model()), right)) {
    ++tally.harmless;
    return;
  }
  ++tally.injected;
  if (selfTest(*jit.model()) != Status::ok) ++tally.found;
  else tally.missed.push_back(what);
}

/// The same for a fault that shows before the loops: refused where a stage notices by itself.
template <class Compile> void tryOut(Tally &tally, const Outcome &right, const std::string &what, const Compile &compile) {
  if (!tally.takes()) return;
  try {
    const Compiled c = compile();
    judge(tally, c.program, formulas(c), right, what);
  } catch (const std::exception &) {
    ++tally.refused;
  }
}

// --- derivatives

void derivativeFaults(Tally &tally, const graph::Module &source, const Outcome &right) {
  static std::string text; // what the table gives must outlive the call
  const std::string plain = graph::print(compiled(source).differentiated);
  for (const FnRow &r : allFunctions())
    for (int argument = 0; argument < r.arity; ++argument) {
      const std::string_view given = grad::standardDerivative(r.fn, argument);
      if (given.empty()) continue;
      for (const char *fault : {"neg({})", "1.1 * ({})", "{} + 0.1"}) {
        text = fmt::format(fmt::runtime(fault), given);
        const auto table = [&](Fn f, int i) -> std::string_view {
          return f == r.fn && i == argument ? text : grad::standardDerivative(f, i);
        };
        try {
          graph::Module module = source;
          differentiate(module, table);
          if (graph::print(module) == plain) break; // the model does not use the row
        } catch (const std::exception &) {
          break;
        }
        tryOut(tally, right, fmt::format("d {} / d argument {} = {}", r.name, argument, text), [&] { return compiled(source, table); });
      }
    }
}

// --- rules

bool isReal(const graph::Node &n) { return n.dtype == DType::F32; }

void rewriteFaults(Tally &tally, const graph::Module &source, const Outcome &right) {
  const std::string plain = graph::print(compiled(source).optimized);
  for (const passes::ParsedRule &rule : passes::parsedRules()) {
    graph::Body &to = const_cast<graph::Body &>(rule.to); // an element of a vector, put back below
    const graph::Body kept = to;
    const bool real =
        isReal(kept.nodes[static_cast<std::size_t>(kept.root)]) || passes::isLetter(kept.nodes[static_cast<std::size_t>(kept.root)]);
    for (int kind = 0; kind < 2 && real; ++kind) {
      to = kept;
      to.root = kind == 0 ? to.call(Fn::Neg, to.root) : to.call(Fn::Mul, to.root, to.constant(1.1));
      bool fires = false;
      try {
        fires = graph::print(compiled(source).optimized) != plain;
      } catch (const std::exception &) { // a rule that no longer shrinks its measure, say
      }
      if (!fires) break;
      tryOut(tally, right, fmt::format("{} -> {} ({})", rule.text->from, rule.text->to, kind == 0 ? "negated" : "times 1.1"),
             [&] { return compiled(source); });
    }
    to = kept;
  }
}

// --- loops, as a wrong schedule or lowering would leave them

/// Rewrites the statement with this number, counted in textual order; null drops it.
class Surgeon {
public:
  Surgeon(int number, std::uint64_t random) : left(number), random(random) {}

  loop::Block operated(const loop::Block &block) {
    loop::Block out;
    for (const loop::StatementPtr &s : block) {
      const bool here = left-- == 0;
      loop::Statement copy = *s;
      if (auto *f = std::get_if<loop::For>(&copy.node)) f->body = operated(f->body);
      if (auto *i = std::get_if<loop::If>(&copy.node)) i->body = operated(i->body);
      if (here && !change(copy)) continue;
      out.push_back(loop::make(copy.node, copy.location));
    }
    return out;
  }
  std::string did;

private:
  /// False: the statement goes.
  bool change(loop::Statement &s) {
    if (auto *c = std::get_if<loop::Compute>(&s.node)) return compute(*c);
    if (auto *l = std::get_if<loop::Load>(&s.node)) return did = "load beside", l->address += random % 2 ? 1 : -1, true;
    if (auto *t = std::get_if<loop::Store>(&s.node)) {
      did = random % 3 == 0 ? "store dropped" : "store beside";
      t->address += 1;
      return random % 3 != 0;
    }
    if (auto *f = std::get_if<loop::For>(&s.node)) {
      did = "loop too short";
      for (Affine &a : random % 2 ? f->upper : f->lower) a += random % 2 ? -f->step : f->step;
      return true;
    }
    if (auto *r = std::get_if<loop::Reduce>(&s.node)) {
      did = "another reduction";
      r->op = r->op == loop::Reduce::Op::Sum ? loop::Reduce::Op::Max : loop::Reduce::Op::Sum;
      return true;
    }
    if (auto *i = std::get_if<loop::If>(&s.node)) return did = "guard too narrow", i->conditions[0] += -1, true;
    return did = "dropped", false;
  }

  bool compute(loop::Compute &c) {
    if (!c.op) return did = "move dropped", false;
    if (c.op == Fn::Add) c.op = Fn::Sub;
    else if (c.op == Fn::Sub) c.op = Fn::Add;
    else if (c.op == Fn::Mul) c.op = Fn::Add;
    else if (c.op == Fn::Div) c.op = Fn::Mul;
    else if (c.op == Fn::Lt) c.op = Fn::Ne;
    else if (c.op == Fn::Fma) std::swap(c.args[0], c.args[2]);
    else if (c.op == Fn::Select) std::swap(c.args[1], c.args[2]);
    else return did = "operation dropped", false;
    return did = fmt::format("another operation than {}", row(*c.op).name), true;
  }

  int left;
  std::uint64_t random;
};

int statementsIn(const loop::Block &block) {
  int count = 0;
  loop::forEachStatement(block, [&](const loop::Statement &) { ++count; });
  return count;
}

void loopFaultsOf(Tally &tally, const Compiled &c, const Outcome &right) {
  const codegen::Reference reference = formulas(c);
  for (std::uint64_t k = 0; k < loopFaults; ++k) {
    loop::Program faulty = c.program;
    loop::Entry &entry = faulty.entries[threefry(1, k) % faulty.entries.size()];
    loop::Kernel &kernel = entry.kernels[threefry(2, k) % entry.kernels.size()];
    const int statements = statementsIn(kernel.body);
    if (!statements || !tally.takes()) continue;
    Surgeon surgeon(static_cast<int>(threefry(3, k) % static_cast<std::uint64_t>(statements)), threefry(4, k) >> 8);
    kernel.body = surgeon.operated(kernel.body);
    Diagnostics diag;
    if (!loop::verify(faulty, diag)) {
      ++tally.refused;
      continue;
    }
    judge(tally, faulty, reference, right, fmt::format("{}.{}: {}", entry.name, kernel.name, surgeon.did));
  }
}

bool report(const char *kind, const Tally &t) {
  fmt::print("{}: {} faults, {} found; {} refused before there is code, {} without effect\n", kind, t.injected, t.found, t.refused,
             t.harmless);
  for (const std::string &m : t.missed) fmt::print("  missed: {}\n", m);
  return t.injected > 0 && t.found >= share * t.injected;
}

} // namespace

int main(int argc, char **argv) {
  const bool sampled = argc > 2 && std::strcmp(argv[1], "--every") == 0;
  const int every = sampled ? std::atoi(argv[2]) : 1;
  Tally derivatives{every}, rewrites{every}, loops{every};
  for (int i = sampled ? 3 : 1; i < argc; ++i) {
    const graph::Module source = parsed(argv[i]);
    const Compiled right = compiled(source);
    const codegen::Jit jit(right.program, formulas(right));
    char message[256];
    if (selfTest(*jit.model(), message) != Status::ok) return fmt::print("{}: false alarm: {}\n", argv[i], message), 1;
    const Outcome results = run(*jit.model());
    derivativeFaults(derivatives, source, results);
    rewriteFaults(rewrites, source, results);
    loopFaultsOf(loops, right, results);
  }
  const bool good = report("derivatives", derivatives) & report("rewrites", rewrites) & report("loops", loops);
  fmt::print("{}\n", good ? "enough" : "too few");
  return good ? 0 : 1;
}
