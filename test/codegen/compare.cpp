// netc_codegen_test FILE.loops jit|LIBRARY.so...
// Runs every entry of a program through the interpreter of the loop IR and through compiled kernels (of shared libraries,
// or compiled in this process), for several counts and on awkward inputs, and compares every bit. NaNs equal NaNs.
#include "compiler/codegen/llvm/llvm.h"
#include "compiler/loop/interpreter.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/text.h"
#include "compiler/loop/verifier.h"
#include "compiler/support/text_file.h"
#include "netc/abi.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <xmmintrin.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace netc;
using namespace netc::loop;

namespace {

using Bytes = std::vector<std::uint8_t>;

struct Aligned { // 64 bytes, as the runtime's memory
  explicit Aligned(std::size_t size) : bytes(size + 64) {}
  std::uint8_t *data() {
    return bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64;
  }
  Bytes bytes;
};

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

bool lossesFinite(const Entry &e, const std::vector<Bytes> &outputs) {
  for (std::size_t r = 0; r < e.results.size(); ++r) {
    float loss = 0;
    if (e.results[r].kind != Result::Kind::Loss) continue;
    std::memcpy(&loss, outputs[r].data(), sizeof loss);
    if (!std::isfinite(loss)) return false;
  }
  return true;
}

/// The entry's stages on a copy of `start`, one thread, denormals flushed; chains of stages depth first.
Memory runCompiled(const Entry &e, const NetcEntry &compiled, Memory m, const Memory &sizes, const ScalarInputs &in) {
  for (const Bytes &b : sizes.outputs) m.outputs.emplace_back(b.size(), 0xcc);
  Aligned store(m.store.size()), workspace(compiled.workspaceBytes);
  std::memcpy(store.data(), m.store.data(), m.store.size());
  std::memset(workspace.data(), 0xff, compiled.workspaceBytes); // NaN
  std::vector<const void *> inputs;
  std::vector<void *> outputs;
  std::vector<float> scalars;
  for (Bytes &b : m.inputs) inputs.push_back(b.data());
  for (Bytes &b : m.outputs) outputs.push_back(b.data());
  for (const RuntimeScalar &s : e.scalars) scalars.push_back(std::bit_cast<float>(scalarBits(s.program, in)));
  const auto count = static_cast<std::int64_t>(in.count);
  const NetcFrame frame{store.data(), workspace.data(), inputs.data(), outputs.data(), scalars.data(), count, nullptr};
  const unsigned mode = _mm_getcsr();
  _mm_setcsr(0x9fc0); // round to nearest; FTZ and DAZ
  for (std::int64_t s = 0; s < compiled.stageCount; ++s) {
    if (s == compiled.commit && !lossesFinite(e, m.outputs)) break;
    const std::int64_t first = s;
    while (compiled.stages[s].depthFirst) ++s;
    const NetcStage &stage = compiled.stages[s];
    const std::int64_t iterations = stage.perBlock * ((count + 15) / 16) + stage.perFullBlock * (count / 16) +
                                    stage.perCount * count + stage.fixed;
    for (std::int64_t i = 0; i < iterations; ++i)
      for (std::int64_t k = first; k <= s; ++k) netcRunStage(compiled.stages + k, frame, i, i + 1);
  }
  _mm_setcsr(mode);
  std::memcpy(m.store.data(), store.data(), m.store.size());
  return m;
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
      for (std::int64_t i = 0; i < model.targets[t].entryCount; ++i)
        compare(model.targets[t].entries[i], from + " " + name);
    }
  }
  int report() const {
    fmt::print("{} runs compared, {} differ\n", compared, different);
    return compared == 0 || different > 0;
  }

private:
  void compare(const NetcEntry &compiled, const std::string &from) {
    const Entry &e = *p.entry(compiled.name);
    for (const std::int64_t count : {std::int64_t{1}, std::int64_t{15}, std::int64_t{16}, std::int64_t{17}, p.batch}) {
      if (count > p.batch) continue;
      std::mt19937 random(static_cast<unsigned>(count));
      const Memory start = memoryFor(p, count, random);
      Memory expected = start;
      Interpretation how;
      how.count = count;
      how.scalars = {static_cast<double>(count), 3, 2, 10};
      for (const std::string &problem : interpret(p, e, expected, how)) fmt::print("interpreter: {}\n", problem);
      const Memory found = runCompiled(e, compiled, start, expected, how.scalars);
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

int run(int argc, char **argv) {
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
    return run(argc, argv);
  } catch (const std::exception &e) {
    fmt::print(stderr, "netc_codegen_test: {}\n", e.what());
    return 1;
  }
}
