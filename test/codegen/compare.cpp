// netc_codegen_test FILE.loops jit|LIBRARY.so|'COMMAND ...'...
// Runs every entry of a program through the interpreter of the loop IR and through compiled kernels (of shared libraries,
// compiled in this process, or in another one: remote.cpp), for several counts and on awkward inputs, and compares every
// bit. NaNs equal NaNs.
#include "compiler/codegen/llvm/llvm.h"
#include "compiler/loop/interpreter.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/text.h"
#include "compiler/loop/verifier.h"
#include "compiler/support/text_file.h"
#include "netc/abi.h"
#include "test/codegen/entry_call.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace netc;
using namespace netc::loop;

namespace {

template <class T> void put(Bytes &bytes, std::int64_t i, T value) {
  std::memcpy(&bytes[i * sizeof(T)], &value, sizeof(T));
}

float awkward(std::mt19937 &random) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  constexpr float special[] = {0.0f, -0.0f, inf, -inf, NAN, 1e-40f, 1e38f, 3e9f, -2147483648.0f, 1.0f};
  if (random() % 5 == 0) return special[random() % std::size(special)];
  return std::uniform_real_distribution<float>(-2, 2)(random);
}

Bytes inputOf(const Tensor &t, std::int64_t count, std::mt19937 &random) {
  std::int64_t size = 1;
  for (std::size_t i = 0; i < t.shape.size(); ++i) size *= i == 0 && t.batch ? count : t.shape[i];
  Bytes bytes(size * byteSize(t.type));
  for (std::int64_t i = 0; i < size; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    if (t.type == DType::F32) put(bytes, i, awkward(random));
    else if (t.type == DType::U8) bytes[i] = static_cast<std::uint8_t>(bits);
    else if (t.type == DType::Bool) bytes[i] = bits & 1;
    else if (t.classes > 0) put(bytes, i, static_cast<std::int32_t>(bits % t.classes));
    else put(bytes, i, bits % 3 ? static_cast<std::int32_t>(bits >> 8) % 40 - 20 : static_cast<std::int32_t>(bits));
  }
  return bytes;
}

Memory memoryFor(const Program &p, std::int64_t count, std::mt19937 &random) {
  Memory m;
  m.store.resize(p.storeBytes);
  for (std::int64_t i = 0; i < p.storeBytes / 4; ++i)
    put(m.store, i, std::uniform_real_distribution<float>(-1, 1)(random));
  for (const Tensor &t : p.tensors)
    if (t.role == Tensor::Role::Input || t.role == Tensor::Role::Target) m.inputs.push_back(inputOf(t, count, random));
  return m;
}

/// The call that the interpreter made of `start`; its results have the sizes of `sizes`.
EntryCall callOf(const Entry &e, const Memory &start, const Memory &sizes, const ScalarInputs &in) {
  EntryCall call{e.name, static_cast<std::int64_t>(in.count), start.store, start.inputs, {}, {}};
  for (const Bytes &b : sizes.outputs) call.outputs.emplace_back(b.size(), 0xcc);
  for (const RuntimeScalar &s : e.scalars) call.scalars.push_back(std::bit_cast<float>(scalarBits(s.program, in)));
  return call;
}

/// "" or the first difference.
std::string difference(const Bytes &expected, const Bytes &found, DType type) {
  if (type != DType::F32) return expected == found ? "" : "the bytes differ";
  for (std::size_t i = 0; i < expected.size() / 4; ++i) {
    float a = 0, b = 0;
    std::memcpy(&a, &expected[4 * i], 4);
    std::memcpy(&b, &found[4 * i], 4);
    if (std::memcmp(&a, &b, 4) && !(std::isnan(a) && std::isnan(b)))
      return fmt::format("element {} is {:a}, the interpreter gives {:a}", i, b, a);
  }
  return "";
}

class Comparison {
public:
  explicit Comparison(Program program) : p(std::move(program)) {}

  void compare(const NetcModel &model, const std::string &from) {
    for (std::int64_t t = 0; t < model.targetCount; ++t) {
      const std::string name = model.targets[t].name;
      if (name == "x86-64-v4" && !__builtin_cpu_supports("avx512bw")) continue;
      for (std::int64_t i = 0; i < model.targets[t].entryCount; ++i) {
        const NetcEntry &entry = model.targets[t].entries[i];
        compare(*p.entry(entry.name), from + " " + name, [&](EntryCall &call) { netc::run(entry, call); });
      }
    }
  }
  void compareRemote(const std::string &command) {
    for (const Entry &e : p.entries)
      compare(e, command, [&](EntryCall &call) { runRemote(command, call); });
  }
  int report() const {
    fmt::print("{} runs compared, {} differ\n", compared, different);
    return compared == 0 || different > 0;
  }

private:
  template <class Run> void compare(const Entry &e, const std::string &from, Run run) {
    for (const std::int64_t count : {std::int64_t{1}, std::int64_t{15}, std::int64_t{16}, std::int64_t{17}, p.batch}) {
      if (count > p.batch) continue;
      std::mt19937 random(static_cast<unsigned>(count));
      const Memory start = memoryFor(p, count, random);
      Memory expected = start;
      Interpretation how;
      how.count = count;
      how.scalars = {static_cast<double>(count), 3, 2, 10};
      for (const std::string &problem : interpret(p, e, expected, how)) fmt::print("interpreter: {}\n", problem);
      EntryCall found = callOf(e, start, expected, how.scalars);
      run(found);
      const std::string where = fmt::format("{} {} count {}", from, e.name, count);
      bool same = true;
      for (std::size_t r = 0; r < e.results.size(); ++r)
        same &= check(where, e.results[r].name, difference(expected.outputs[r], found.outputs[r], e.results[r].type));
      same &= check(where, "store", difference(expected.store, found.store, DType::F32));
      ++compared;
      different += !same;
    }
  }
  static bool check(const std::string &where, const std::string &what, const std::string &difference) {
    if (!difference.empty()) fmt::print("{}: {}: {}\n", where, what, difference);
    return difference.empty();
  }

  const Program p;
  int compared = 0, different = 0;
};

int compareAll(int argc, char **argv) {
  Diagnostics diagnostics;
  Program program = parse(readFile(argv[1]), argv[1], diagnostics);
  if (diagnostics.hasErrors() || !verify(program, diagnostics)) throw UserError(diagnostics.str());
  Comparison comparison(program);
  for (Entry &e : program.entries)
    for (Kernel &k : e.kernels) unroll(k, program.batch);
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) == "jit") {
      program.target = "native";
      const codegen::Jit jit(program);
      comparison.compare(*jit.model(), "jit");
      continue;
    }
    if (std::string_view(argv[i]).find(' ') != std::string_view::npos) {
      comparison.compareRemote(argv[i]);
      continue;
    }
    void *library = dlopen(argv[i], RTLD_NOW);
    if (!library) throw UserError(dlerror());
    const auto *model = static_cast<const NetcModel *>(dlsym(library, (program.name + "_model").c_str()));
    if (!model) throw UserError(dlerror());
    comparison.compare(*model, argv[i]);
  }
  return comparison.report();
}

} // namespace

int main(int argc, char **argv) {
  try {
    if (argc < 3) throw UserError("expected FILE.loops and jit or shared libraries");
    return compareAll(argc, argv);
  } catch (const std::exception &e) {
    fmt::print(stderr, "netc_codegen_test: {}\n", e.what());
    return 1;
  }
}
