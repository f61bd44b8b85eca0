#include "compiler/loop/kernel_parser.h"
#include "compiler/loop/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace netc::loop {

namespace {

std::string unknown(std::string_view what, const std::string &name, const std::unordered_map<std::string, int> &known) {
  std::vector<std::string> names;
  for (auto &[n, i] : known) names.push_back(n);
  std::sort(names.begin(), names.end());
  return fmt::format("unknown {} '{}'{}", what, name, didYouMean(name, names));
}

} // namespace

void KernelParser::parseStatement(Block &block) {
  const bool keyword = t.peek(1).text != "=" && t.peek(1).text != "[";
  if (keyword && t.at("for")) return parseFor(block, false);
  if (keyword && t.at("unroll")) return parseFor(block, true);
  if (keyword && t.at("if")) return parseIf(block);
  if (keyword && t.at("store")) return parseStore(block);
  parseAssignment(block);
  endOfLine(t);
}

int KernelParser::parseBuffer() {
  const Token at = t.peek();
  const std::string name = t.expectIdentifier("a buffer");
  if (name.empty()) return -1;
  if (const auto found = buffers.find(name); found != buffers.end()) return found->second;
  t.errorUnknown(at, unknown("buffer", name, buffers));
  return -1;
}

std::int64_t KernelParser::parseStride() { return t.accept("stride") ? t.expectInteger("the stride") : 1; }

std::optional<Affine> KernelParser::parseActive() {
  if (!t.accept("active")) return std::nullopt;
  return parseAffine();
}

void KernelParser::parseStore(Block &block) {
  const Location at = t.next().location;
  Store s;
  s.buffer = parseBuffer();
  if (!t.expect("[")) return;
  s.address = parseAffine();
  if (!t.expect("]")) return;
  s.stride = parseStride();
  if (!t.expect("=")) return;
  s.value = parseOperand();
  s.active = parseActive();
  endOfLine(t);
  block.push_back(make(std::move(s), at));
}

void KernelParser::parseAssignment(Block &block) {
  if (t.peek().kind != Token::Kind::Identifier) {
    t.names().loseOne();
    return t.errorExpected("a statement");
  }
  const Location at = t.peek().location;
  RegisterRef dst = parseRegisterRef(true);
  if (t.failed() || !t.expect("=")) return;
  const int reg = dst.reg;
  Statement s = parseRight(std::move(dst));
  if (t.failed()) return;
  s.location = at;
  if (!typed[reg]) {
    if (const auto type = resultType(entry, k, s)) k.registers[reg].type = *type;
    typed[reg] = true;
  }
  block.push_back(std::make_shared<const Statement>(std::move(s)));
}

Statement KernelParser::parseRight(RegisterRef dst) {
  if (onSameLine() && t.peek().kind == Token::Kind::Identifier && t.peek(1).text != "[") {
    if (t.accept("load")) return parseLoad(std::move(dst));
    if (t.accept("reduce")) return parseReduce(std::move(dst));
    if (t.accept("lanes")) {
      LaneIndex n{std::move(dst), parseAffine(), 1};
      t.expect("step");
      n.step = t.expectInteger("the step from lane to lane");
      return {std::move(n)};
    }
    if (t.accept("mask")) return {LaneMask{std::move(dst), parseAffine()}};
  }
  return parseCompute(std::move(dst));
}

Statement KernelParser::parseLoad(RegisterRef dst) {
  Load l;
  l.dst = std::move(dst);
  l.buffer = parseBuffer();
  t.expect("[");
  l.address = parseAffine();
  t.expect("]");
  l.stride = parseStride();
  l.active = parseActive();
  return {std::move(l)};
}

Statement KernelParser::parseReduce(RegisterRef dst) {
  Reduce r;
  r.dst = std::move(dst);
  if (t.accept("sum")) r.op = Reduce::Op::Sum;
  else if (t.accept("prod")) r.op = Reduce::Op::Prod;
  else if (t.accept("max")) r.op = Reduce::Op::Max;
  else if (t.accept("min")) r.op = Reduce::Op::Min;
  else t.errorExpected("sum, prod, max or min");
  r.src = parseOperand();
  return {std::move(r)};
}

Statement KernelParser::parseCompute(RegisterRef dst) {
  Compute c;
  c.dst = std::move(dst);
  const bool call = t.peek().kind == Token::Kind::Identifier && t.peek(1).text == "(" && !t.at("i32");
  if (!call) {
    c.args.push_back(parseOperand());
    return {std::move(c)};
  }
  const Token at = t.next();
  c.op = findFunction(at.text);
  if (!c.op || !isPrimitive(*c.op)) {
    c.op.reset();
    std::vector<std::string> known;
    for (const FnRow &f : allFunctions())
      if (isPrimitive(f.fn)) known.emplace_back(f.name);
    t.error(at.location, fmt::format("'{}' is no operation of the loop IR{}", at.text, didYouMean(at.text, known)));
  }
  t.expect("(");
  do c.args.push_back(parseOperand());
  while (t.accept(","));
  t.expect(")");
  return {std::move(c)};
}

RegisterRef KernelParser::parseRegisterRef(bool assigned) {
  const Token at = t.peek();
  RegisterRef r;
  const std::string name = t.expectIdentifier("a register");
  if (name.empty()) return r;
  if (const auto found = registers.find(name); found != registers.end()) {
    r.reg = found->second;
  } else if (assigned && !t.at("[")) {
    r.reg = static_cast<int>(k.registers.size());
    registers.emplace(name, r.reg);
    k.registers.push_back({name, DType::F32, {}, at.location});
    typed.push_back(false);
  } else {
    const char *what = assigned ? "register array (declare it with `reg`)" : "register";
    t.errorUnknown(at, unknown(what, name, registers));
  }
  while (t.accept("[")) {
    r.index.push_back(parseAffine());
    if (!t.expect("]")) break;
  }
  return r;
}

Operand KernelParser::parseOperand() {
  Operand o;
  if (t.accept("@")) {
    o.kind = Operand::Kind::Scalar;
    const Token at = t.peek();
    const std::string name = t.expectIdentifier("a scalar");
    if (const auto found = scalars.find(name); found != scalars.end()) {
      o.scalar = found->second;
      o.type = typeOf(entry.scalars[found->second].program);
    } else if (!name.empty()) {
      t.errorUnknown(at, unknown("scalar", name, scalars));
    }
    return o;
  }
  if (t.at("true") || t.at("false")) {
    o.type = DType::Bool;
    o.value = t.next().text == "true" ? 1 : 0;
    return o;
  }
  if (t.at("i32") && t.peek(1).text == "(") {
    t.next(), t.next();
    o.type = DType::I32;
    const Token at = t.peek();
    const std::int64_t value = t.expectInteger("an integer");
    if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
      t.error(at.location, fmt::format("{} does not fit an i32", value));
    o.value = static_cast<double>(value);
    t.expect(")");
    return o;
  }
  if (t.peek().kind == Token::Kind::Number || t.at("-") || t.at("inf") || t.at("nan")) return parseNumber();
  o.kind = Operand::Kind::Register;
  o.reg = parseRegisterRef(false);
  return o;
}

/// An f32 constant. Rounded once, straight from its text.
Operand KernelParser::parseNumber() {
  const bool negative = t.accept("-");
  float value = 0;
  if (t.peek().kind == Token::Kind::Number) {
    value = std::strtof(t.next().text.c_str(), nullptr);
  } else {
    value = static_cast<float>(t.expectNumber("a number"));
  }
  Operand o;
  o.type = DType::F32;
  o.value = negative ? -value : value;
  return o;
}

} // namespace netc::loop
