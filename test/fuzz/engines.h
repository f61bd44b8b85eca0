// The engines that must give the same bits: the loop interpreter, and compiled kernels (from the JIT or from a shared object
// of Highway C++) under the runtime's Core.
#pragma once

#include "compiler/codegen/llvm/llvm.h"
#include "compiler/loop/interpreter.h"
#include "compiler/loop/loop.h"
#include "netc/model.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace netc::fuzz {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint64_t seed = 0x123456789abcdef; // of what uniform() draws

struct Call {
  std::int64_t count = 1;
  std::uint64_t step = 0;
  std::vector<Bytes> inputs;                       // by slot
  std::map<std::string, std::vector<float>> store; // params and states
};

/// Doubles hold every element type exactly.
Bytes toBytes(const std::vector<double> &, DType);
std::vector<double> fromBytes(const Bytes &, DType);

class Engine {
public:
  explicit Engine(std::string name) : name(std::move(name)) {}
  virtual ~Engine() = default;
  /// One buffer a result of the entry. `problem` receives what went wrong, if anything.
  virtual std::vector<Bytes> run(const loop::Entry &, const Call &, std::string &problem) = 0;
  const std::string name;
};

std::unique_ptr<Engine> interpreter(const loop::Program &, bool reverseParallel);
/// `model` must outlive the engine.
std::unique_ptr<Engine> compiled(std::string name, const NetcModel &model, const std::string &target, unsigned threads);

/// Writes NAME.cpp and NAME.h for the programs (one a target), compiles them with `compiler` and loads the result; null
/// and a message when that fails. The object stays loaded.
const NetcModel *highwayModel(const std::vector<loop::Program> &, const std::string &stem, const std::string &compiler,
                              const std::string &runtime, std::string &problem);

/// The program's Highway code, compiled for another architecture and run by an emulator; null and a message when that fails.
/// `p` must outlive the engine.
std::unique_ptr<Engine> remote(const loop::Program &p, const std::string &stem, const std::string &compiler, const std::string &emulator,
                               const std::string &runtime, std::string &problem);

} // namespace netc::fuzz
