#include "compiler/support/scalar_program.h"

#include "compiler/support/diagnostics.h"
#include "compiler/support/lexer.h"
#include "netc/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace netc {

namespace {

struct CodeRow {
  ScalarOp::Code code;
  int arity;
  const char *text; // name, or infix symbol
  int precedence;   // of an infix operator; 0: a call
};
constexpr CodeRow codes[] = {
    {ScalarOp::Count, 0, "count", 0},     {ScalarOp::Step, 0, "step", 0},       {ScalarOp::Epoch, 0, "epoch", 0},
    {ScalarOp::Steps, 0, "steps", 0},     {ScalarOp::Add, 2, "+", 2},           {ScalarOp::Sub, 2, "-", 2},
    {ScalarOp::Mul, 2, "*", 3},           {ScalarOp::Div, 2, "/", 3},           {ScalarOp::Pow, 2, "pow", 0},
    {ScalarOp::Neg, 1, "neg", 0},         {ScalarOp::Exp, 1, "exp", 0},         {ScalarOp::Log, 1, "log", 0},
    {ScalarOp::Sqrt, 1, "sqrt", 0},       {ScalarOp::Cos, 1, "cos", 0},         {ScalarOp::Floor, 1, "floor", 0},
    {ScalarOp::Minimum, 2, "minimum", 0}, {ScalarOp::Maximum, 2, "maximum", 0}, {ScalarOp::Lt, 2, "<", 1},
    {ScalarOp::Select, 3, "where", 0},    {ScalarOp::KeyLow, 2, "keyLow", 0},   {ScalarOp::KeyHigh, 2, "keyHigh", 0},
};
const CodeRow *rowOf(ScalarOp::Code c) {
  for (const CodeRow &r : codes)
    if (r.code == c) return &r;
  return nullptr; // Const
}

/// A whole number as such; anything else is 0.
std::uint64_t whole(double v) { return v >= 0 && v < 0x1p63 ? static_cast<std::uint64_t>(v) : 0; }

/// One word of a key, as the signed integer that a formula gets.
double keyWord(const double *path, const ScalarInputs &in, int shift) {
  const std::uint64_t key = drawKey(in.seed, whole(path[0]) << 32 | whole(path[1]), whole(in.step));
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(key >> shift));
}

double apply(ScalarOp::Code code, const double *a, const ScalarInputs &in) {
  switch (code) {
  case ScalarOp::Const: break;
  case ScalarOp::Count: return in.count;
  case ScalarOp::Step: return in.step;
  case ScalarOp::Epoch: return in.epoch;
  case ScalarOp::Steps: return in.steps;
  case ScalarOp::Add: return a[0] + a[1];
  case ScalarOp::Sub: return a[0] - a[1];
  case ScalarOp::Mul: return a[0] * a[1];
  case ScalarOp::Div: return a[0] / a[1];
  case ScalarOp::Pow: return std::pow(a[0], a[1]);
  case ScalarOp::Neg: return -a[0];
  case ScalarOp::Exp: return std::exp(a[0]);
  case ScalarOp::Log: return std::log(a[0]);
  case ScalarOp::Sqrt: return std::sqrt(a[0]);
  case ScalarOp::Cos: return std::cos(a[0]);
  case ScalarOp::Floor: return std::floor(a[0]);
  case ScalarOp::Minimum: return a[1] < a[0] ? a[1] : a[0];
  case ScalarOp::Maximum: return a[0] < a[1] ? a[1] : a[0];
  case ScalarOp::Lt: return a[0] < a[1];
  case ScalarOp::Select: return a[0] != 0 ? a[1] : a[2];
  case ScalarOp::KeyLow: return keyWord(a, in, 0);
  case ScalarOp::KeyHigh: return keyWord(a, in, 32);
  }
  internalError("scalar program: bad code");
}

/// Recursive descent over the infix text.
class Parser {
public:
  Parser(TokenStream &in, std::vector<ScalarOp> &out) : in(in), out(out) {}
  void expression(int precedence = 1) {
    unary();
    for (;;) {
      const CodeRow *op = nullptr;
      for (const CodeRow &r : codes)
        if (r.precedence >= precedence && in.at(r.text)) op = &r;
      if (!op) return;
      in.next();
      expression(op->precedence + 1);
      out.push_back({op->code});
    }
  }

private:
  void unary() {
    if (in.peek().kind == Token::Kind::Number) return out.push_back({ScalarOp::Const, in.next().number});
    if (in.accept("-")) {
      if (in.peek().kind == Token::Kind::Number) return out.push_back({ScalarOp::Const, -in.next().number});
      unary();
      return out.push_back({ScalarOp::Neg});
    }
    if (in.accept("(")) {
      expression();
      in.expect(")");
      return;
    }
    call();
  }
  void call() {
    const std::string name = in.expectIdentifier("a number, a run-time scalar or a function");
    for (const CodeRow &r : codes) {
      if (r.precedence != 0 || name != r.text) continue;
      for (int i = 0; i < r.arity; ++i) {
        in.expect(i == 0 ? "(" : ",");
        expression();
      }
      if (r.arity > 0) in.expect(")");
      return out.push_back({r.code});
    }
    in.error(fmt::format("unknown scalar function '{}'", name));
  }
  TokenStream &in;
  std::vector<ScalarOp> &out;
};

} // namespace

double evaluate(const std::vector<ScalarOp> &program, const ScalarInputs &inputs) {
  std::vector<double> stack;
  for (const ScalarOp &op : program) {
    const CodeRow *row = rowOf(op.code);
    const std::size_t arity = row ? row->arity : 0;
    if (stack.size() < arity) internalError("scalar program: stack underflow");
    const double *args = stack.data() + (stack.size() - arity);
    const double value = row ? apply(op.code, args, inputs) : op.value;
    stack.resize(stack.size() - arity);
    stack.push_back(value);
  }
  if (stack.size() != 1) internalError("scalar program: no single result");
  return stack[0];
}

namespace {
bool isKey(ScalarOp::Code c) { return c == ScalarOp::KeyLow || c == ScalarOp::KeyHigh; }
} // namespace

DType typeOf(const std::vector<ScalarOp> &program) {
  return !program.empty() && isKey(program.back().code) ? DType::I32 : DType::F32;
}

std::uint32_t scalarBits(const std::vector<ScalarOp> &program, const ScalarInputs &inputs) {
  const double v = evaluate(program, inputs);
  if (typeOf(program) == DType::I32) return static_cast<std::uint32_t>(static_cast<std::int32_t>(v));
  return std::bit_cast<std::uint32_t>(static_cast<float>(v));
}

std::vector<ScalarOp> keyProgram(ScalarOp::Code word, const std::string &path) {
  const std::uint64_t hash = hashName(path.c_str());
  const auto part = [&](int shift) { return static_cast<double>(static_cast<std::uint32_t>(hash >> shift)); };
  return {{ScalarOp::Const, part(32)}, {ScalarOp::Const, part(0)}, {word}};
}

bool isConstant(const std::vector<ScalarOp> &program) {
  return std::none_of(program.begin(), program.end(), [](const ScalarOp &op) {
    return op.code == ScalarOp::Count || op.code == ScalarOp::Step || op.code == ScalarOp::Epoch ||
           op.code == ScalarOp::Steps || isKey(op.code);
  });
}

std::string str(const std::vector<ScalarOp> &program) {
  struct Text {
    std::string s;
    int precedence; // 9: atom
  };
  std::vector<Text> stack;
  const auto wrapped = [](const Text &t, int atLeast) {
    return t.precedence < atLeast ? fmt::format("({})", t.s) : t.s;
  };
  for (const ScalarOp &op : program) {
    const CodeRow *row = rowOf(op.code);
    if (!row) {
      stack.push_back({fmt::format("{}", op.value), op.value < 0 ? 4 : 9});
      continue;
    }
    if (stack.size() < static_cast<std::size_t>(row->arity)) internalError("scalar program: stack underflow");
    const std::vector<Text> args(stack.end() - row->arity, stack.end());
    stack.resize(stack.size() - row->arity);
    if (row->precedence > 0) {
      stack.push_back({fmt::format("{} {} {}", wrapped(args[0], row->precedence), row->text,
                                   wrapped(args[1], row->precedence + 1)),
                       row->precedence});
      continue;
    }
    std::string s = row->text;
    for (int i = 0; i < row->arity; ++i) s += (i == 0 ? "(" : ", ") + args[i].s;
    stack.push_back({row->arity > 0 ? s + ")" : s, 9});
  }
  if (stack.size() != 1) internalError("scalar program: no single result");
  return stack[0].s;
}

std::vector<ScalarOp> parseScalarProgram(TokenStream &in) {
  std::vector<ScalarOp> program;
  Parser(in, program).expression();
  return program;
}

std::vector<ScalarOp> parseScalarProgram(const std::string &text) {
  Diagnostics diag;
  TokenStream in(tokenize(text, diag.addSource("scalar", text), diag), diag);
  std::vector<ScalarOp> program = parseScalarProgram(in);
  if (!diag.hasErrors() && !in.atEnd()) in.error("unexpected text after the scalar expression");
  if (diag.hasErrors()) throw UserError(diag.str());
  return program;
}

} // namespace netc
