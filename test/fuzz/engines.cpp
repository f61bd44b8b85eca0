#include "test/fuzz/engines.h"

#include "compiler/codegen/highway/highway.h"
#include "compiler/codegen/model_tables.h"
#include "compiler/support/text_file.h"
#include "test/codegen/entry_call.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <fmt/format.h>

namespace netc::fuzz {

namespace {

template <typename T> Bytes packed(const std::vector<double> &values) {
  Bytes bytes(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T v = static_cast<T>(values[i]);
    std::memcpy(bytes.data() + i * sizeof(T), &v, sizeof(T));
  }
  return bytes;
}

template <typename T> std::vector<double> unpacked(const Bytes &bytes) {
  std::vector<double> values(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T v;
    std::memcpy(&v, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(v);
  }
  return values;
}

std::size_t resultBytes(const loop::Result &r, std::int64_t count) {
  std::int64_t n = byteSize(r.type);
  for (std::size_t d = 0; d < r.shape.size(); ++d)
    n *= d == 0 && r.batch ? count : r.shape[d];
  return static_cast<std::size_t>(n);
}

/// Where element i, in logical order, lies.
std::size_t placeOf(const loop::Tensor &t, std::size_t i) {
  const std::vector<loop::Digit> digits = storeDigits(t);
  if (digits.empty()) return i;
  std::size_t place = 0;
  for (auto d = digits.rbegin(); d != digits.rend(); ++d) {
    const auto extent = static_cast<std::size_t>(d->extent);
    place += i % extent * static_cast<std::size_t>(d->stride);
    i /= extent;
  }
  return place;
}

Bytes storeOf(const loop::Program &program, const Call &call) {
  Bytes store(static_cast<std::size_t>(program.storeBytes));
  for (const loop::Tensor &t : program.tensors)
    if (auto s = call.store.find(t.name); s != call.store.end())
      for (std::size_t i = 0; i < s->second.size(); ++i)
        std::memcpy(store.data() + t.store + placeOf(t, i) * sizeof(float), &s->second[i], sizeof(float));
  return store;
}

ScalarInputs scalarsOf(const Call &call) {
  ScalarInputs in;
  in.count = static_cast<double>(call.count);
  in.seed = seed;
  in.step = static_cast<double>(call.step);
  return in;
}

class InterpreterEngine : public Engine {
public:
  InterpreterEngine(const loop::Program &p, bool reverse)
      : Engine(fmt::format("interpreter {}{}", p.target, reverse ? " reversed" : "")), program(p), reverse(reverse) {}

  std::vector<Bytes> run(const loop::Entry &entry, const Call &call, std::string &problem) override {
    loop::Memory memory;
    memory.store = storeOf(program, call);
    memory.inputs = call.inputs;
    loop::Interpretation how;
    how.count = call.count;
    how.reverseParallel = reverse;
    how.scalars = scalarsOf(call);
    const std::vector<std::string> problems = loop::interpret(program, *program.entry(entry.name), memory, how);
    if (!problems.empty())
      problem = problems.front();
    memory.outputs.resize(entry.results.size());
    return memory.outputs;
  }

private:
  const loop::Program &program;
  bool reverse;
};

class CompiledEngine : public Engine {
public:
  CompiledEngine(std::string name, const NetcModel &model, const std::string &target, unsigned threads)
      : Engine(fmt::format("{} {} threads {}", name, target, threads)) {
    Options o;
    o.threads = threads;
    o.target = target.c_str();
    o.seed = seed;
    core = std::make_unique<Core>(model, o);
  }

  std::vector<Bytes> run(const loop::Entry &entry, const Call &call, std::string &problem) override {
    std::vector<Bytes> results;
    std::vector<void *> out;
    for (const loop::Result &r : entry.results)
      results.emplace_back(resultBytes(r, call.count), std::uint8_t(0xCD));
    for (Bytes &b : results)
      out.push_back(b.data());
    auto set = [&](Tensor t) {
      if (auto s = call.store.find(t.name()); s != call.store.end())
        t.set(s->second.data());
    };
    for (std::size_t i = 0; i < core->parameterCount(); ++i)
      set(core->parameter(i));
    for (std::size_t i = 0; i < core->stateCount(); ++i)
      set(core->state(i));
    std::vector<const void *> in;
    for (const Bytes &b : call.inputs)
      in.push_back(b.data());
    core->setStep(call.step);
    const Status status = core->run(entry.name.c_str(), in.data(), out.data(), static_cast<std::size_t>(call.count));
    if (status != Status::ok)
      problem = fmt::format("{}: {}", text(status), core->message());
    return results;
  }

private:
  std::unique_ptr<Core> core;
};

class RemoteEngine : public Engine {
public:
  RemoteEngine(const loop::Program &p, std::string command) : Engine(command), program(p), command(std::move(command)) {}

  std::vector<Bytes> run(const loop::Entry &entry, const Call &call, std::string &problem) override {
    EntryCall remote{entry.name, call.count, storeOf(program, call), call.inputs, {}, {}};
    for (const loop::Result &r : entry.results)
      remote.outputs.emplace_back(resultBytes(r, call.count), std::uint8_t(0xCD));
    for (const RuntimeScalar &s : entry.scalars)
      remote.scalars.push_back(std::bit_cast<float>(scalarBits(s.program, scalarsOf(call))));
    try {
      runRemote(command, remote);
    } catch (const std::exception &e) {
      problem = e.what();
    }
    return remote.outputs;
  }

private:
  const loop::Program &program;
  const std::string command;
};

/// Writes NAME.cpp and NAME.h for the programs and compiles them so.
bool compileHighway(const std::vector<loop::Program> &programs, const std::string &stem, const std::string &command, std::string &problem) {
  const std::string file = std::filesystem::path(stem).filename();
  writeFile(stem + ".cpp", codegen::highway(programs, file + ".h", file + ".graph"));
  writeFile(stem + ".h", codegen::header(programs, file + ".graph"));
  if (std::system(command.c_str()) != 0) problem = "this failed: " + command;
  return problem.empty();
}

constexpr const char *flags = "-std=c++17 -O2 -Wall -Wextra -Werror -ffp-contract=off";

} // namespace

Bytes toBytes(const std::vector<double> &values, DType type) {
  return type == DType::F32 ? packed<float>(values) : type == DType::I32 ? packed<std::int32_t>(values) : packed<std::uint8_t>(values);
}

std::vector<double> fromBytes(const Bytes &bytes, DType type) {
  return type == DType::F32 ? unpacked<float>(bytes) : type == DType::I32 ? unpacked<std::int32_t>(bytes) : unpacked<std::uint8_t>(bytes);
}

std::unique_ptr<Engine> interpreter(const loop::Program &p, bool reverseParallel) {
  return std::make_unique<InterpreterEngine>(p, reverseParallel);
}

std::unique_ptr<Engine> compiled(std::string name, const NetcModel &model, const std::string &target, unsigned threads) {
  return std::make_unique<CompiledEngine>(std::move(name), model, target, threads);
}

const NetcModel *highwayModel(const std::vector<loop::Program> &programs, const std::string &stem, const std::string &compiler,
                              const std::string &runtime, std::string &problem) {
  const std::string object = std::filesystem::absolute(stem + "." + std::filesystem::path(compiler).filename().string() + ".so");
  const std::string command = fmt::format("'{}' {} -fPIC -shared -I'{}/include' '{}.cpp' -o '{}'", compiler, flags, runtime, stem, object);
  if (!compileHighway(programs, stem, command, problem)) return nullptr;
  void *handle = dlopen(object.c_str(), RTLD_LAZY | RTLD_LOCAL); // lazy: the C functions' runtime is not needed
  const void *model = handle ? dlsym(handle, codegen::modelSymbol(programs[0]).c_str()) : nullptr;
  if (!model)
    problem = fmt::format("cannot load '{}': {}", object, dlerror());
  return static_cast<const NetcModel *>(model);
}

std::unique_ptr<Engine> remote(const loop::Program &p, const std::string &stem, const std::string &compiler, const std::string &emulator,
                               const std::string &runtime, std::string &problem) {
  const std::string program = std::filesystem::absolute(stem + "." + p.target);
  const std::string command = fmt::format("{0} {1} -idirafter /usr/include -I'{2}/include' -I'{2}/src' -DNETC_MODEL={3} "
                                          "'{2}/../test/codegen/remote.cpp' '{4}.cpp' -static -o '{4}'",
                                          compiler, flags, runtime, codegen::modelSymbol(p), program);
  if (!compileHighway({p}, program, command, problem)) return nullptr;
  return std::make_unique<RemoteEngine>(p, fmt::format("{} '{}'", emulator, program));
}

} // namespace netc::fuzz
