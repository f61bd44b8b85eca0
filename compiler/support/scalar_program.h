// Run-time scalars: expressions of count, step, epoch and steps, evaluated in float64 once a call and rounded
// once to float32. A postfix program, because the runtime evaluates the very same list (netc/abi.h).
//
// keyLow(h, l) and keyHigh(h, l) are the words of drawKey(seed, h * 2^32 + l, step) (netc/random.h): what the call of
// uniform() whose path has this hash draws from. A program that is nothing but one of them is an i32.
#pragma once

#include "compiler/support/functions.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace netc {

struct ScalarOp {
  // The numbers are those of NetcScalarCode in runtime/include/netc/abi.h; a test compares them.
  enum Code : int { Const, Count, Step, Epoch, Steps, Add, Sub, Mul, Div, Pow, Neg, Exp, Log, Sqrt, Cos, Floor,
                    Minimum, Maximum, Lt, Select, KeyLow, KeyHigh };
  Code code;
  double value = 0; // Const
  bool operator==(const ScalarOp &) const = default;
};

struct ScalarInputs {
  double count = 0, step = 0, epoch = 0, steps = 0;
  std::uint64_t seed = 0;
};

/// Named, e.g. `lr = 0.03 * pow(0.4, epoch)`; "lr", "lr.2", ... may be overridden by setLearningRate.
struct RuntimeScalar {
  std::string name;
  std::vector<ScalarOp> program;
  bool operator==(const RuntimeScalar &) const = default;
};

double evaluate(const std::vector<ScalarOp> &, const ScalarInputs &);
/// What a formula gets: I32 for the word of a key, else F32.
DType typeOf(const std::vector<ScalarOp> &);
/// The bits of the evaluated program in a kernel's table of scalars: an i32, or a value rounded to f32.
std::uint32_t scalarBits(const std::vector<ScalarOp> &, const ScalarInputs &);
/// keyLow or keyHigh of a path.
std::vector<ScalarOp> keyProgram(ScalarOp::Code word, const std::string &path);
/// True when the program has no Count, Step, Epoch, Steps or key.
bool isConstant(const std::vector<ScalarOp> &);
/// Infix text: "0.03 * pow(0.4, epoch)"; and back. Throws UserError on bad text.
std::string str(const std::vector<ScalarOp> &);
std::vector<ScalarOp> parseScalarProgram(const std::string &text);
/// The same from a token stream, as far as the expression goes; errors go to its diagnostics.
class TokenStream;
std::vector<ScalarOp> parseScalarProgram(TokenStream &);

} // namespace netc
