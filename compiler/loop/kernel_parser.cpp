#include "compiler/loop/kernel_parser.h"

#include <fmt/format.h>

namespace netc::loop {

namespace {
constexpr std::size_t maxDepth = 64; // of nested loops and guards
}

void skipLine(TokenStream &t) {
  while (!t.atEnd() && !t.peek().firstOnLine) t.next();
}

void endOfLine(TokenStream &t) {
  if (!t.failed() && !t.peek().firstOnLine && !t.at("}")) t.errorExpected("the end of the line");
}

Kernel KernelParser::parse() {
  for (std::size_t i = 0; i < entry.buffers.size(); ++i) buffers.emplace(entry.buffers[i].name, static_cast<int>(i));
  for (std::size_t i = 0; i < entry.scalars.size(); ++i) scalars.emplace(entry.scalars[i].name, static_cast<int>(i));
  for (const char *size : {"count", "blocks", "fullBlocks", "turn"}) scope.emplace_back(size, addVariable(size));

  k.location = t.peek().location;
  k.name = t.expectIdentifier("the kernel's name");
  if (t.accept("parallel")) {
    const std::string name = t.expectIdentifier("the parallel variable");
    if (name.empty()) t.names().loseOne();
    t.expect("<");
    k.parallelExtent = parseAffine();
    k.parallel = addVariable(name);
    scope.emplace_back(name, k.parallel);
  }
  if (t.accept("turns")) {
    const Location at = t.peek().location;
    k.turns = t.expectInteger("the number of turns");
    if (!t.failed() && k.turns < 1) t.error(at, fmt::format("expected 1 turn or more, found {}", k.turns));
  }
  k.depthFirst = (k.parallel >= 0 || k.turns > 0) && t.accept("then");
  if (t.accept("flops")) k.flops = t.expectNumber("the number of operations");
  t.openBlock();
  while (t.peek().kind == Token::Kind::String && comments.count(t.peek().location.line)) {
    k.comment.push_back(comments.at(t.peek().location.line));
    t.next();
  }
  while (atRegister()) {
    t.begin();
    parseRegister();
    if (t.failed()) t.recover();
  }
  parseBody(k.body);
  return std::move(k);
}

bool KernelParser::atRegister() const {
  return t.at("reg") && (t.peek(1).kind == Token::Kind::Identifier || t.peek(1).text == ":");
}

int KernelParser::addVariable(const std::string &name) {
  k.variables.push_back(name);
  return static_cast<int>(k.variables.size()) - 1;
}

void KernelParser::parseRegister() { // reg acc: f32[6][4]
  t.expect("reg");
  Register r;
  r.location = t.peek().location;
  r.name = t.expectIdentifier("the register's name");
  if (r.name.empty()) t.names().loseOne();
  if (registers.count(r.name)) return t.error(fmt::format("register '{}' is declared twice", r.name));
  t.expect(":");
  const Token at = t.peek();
  const std::string type = t.expectIdentifier("the register's type");
  if (const auto found = parseDType(type)) {
    r.type = *found;
  } else {
    t.error(at.location, fmt::format("unknown type '{}', expected f32, i32 or bool", type));
  }
  while (t.accept("[")) {
    r.dims.push_back(t.expectInteger("an extent"));
    if (!t.expect("]")) break;
  }
  endOfLine(t);
  registers.emplace(r.name, static_cast<int>(k.registers.size()));
  k.registers.push_back(std::move(r));
  typed.push_back(true);
}

/// At what no kernel contains: the closing brace was forgotten.
bool KernelParser::atOuter() const {
  return t.peek().firstOnLine && (t.at("kernel") || t.at("entry")) && t.peek(1).kind == Token::Kind::Identifier;
}

/// Statements up to and with the closing brace.
void KernelParser::parseBody(Block &body) {
  while (!t.accept("}")) {
    if (t.atEnd() || atOuter()) {
      t.errorExpected("'}'"); // once: the blocks around end here, too
      return;
    }
    t.begin();
    if (t.peek().kind == Token::Kind::String && comments.contains(t.peek().location.line)) {
      if (!t.diagnostics().hasErrors()) t.error("a kernel's comment stands before its statements");
      t.next();
      continue;
    }
    if (atRegister()) {
      if (!t.diagnostics().hasErrors()) t.error("registers are declared before the statements");
      parseRegister();
    } else {
      parseStatement(body);
    }
    if (t.failed() && (t.atEnd() || atOuter())) return;
    if (t.failed()) t.recover();
  }
}

void KernelParser::openAndParse(Block &body) {
  t.openBlock();
  if (scope.size() > maxDepth) {
    t.error(fmt::format("loops are nested more than {} deep", maxDepth));
    while (!t.atEnd()) t.next();
    return;
  }
  parseBody(body);
}

void KernelParser::parseFor(Block &block, bool unroll) {
  const Location at = t.next().location;
  For f;
  f.unroll = unroll;
  const std::string name = t.expectIdentifier("the loop's variable");
  if (name.empty() || !t.at("in")) t.names().loseOne();
  if (t.expect("in")) {
    f.lower = parseBounds("max");
    if (t.expect("..")) f.upper = parseBounds("min");
    if (t.accept("step")) f.step = t.expectInteger("the loop's step");
  }
  f.var = addVariable(name);
  scope.emplace_back(name, f.var);
  openAndParse(f.body);
  scope.pop_back();
  block.push_back(make(std::move(f), at));
}

void KernelParser::parseIf(Block &block) {
  const Location at = t.next().location;
  If i;
  do {
    i.conditions.push_back(parseAffine());
    if (!t.expect(">=")) break;
    if (t.peek().kind == Token::Kind::Number && t.peek().text == "0") {
      t.next();
    } else {
      t.errorExpected("0, with which guards compare");
      break;
    }
  } while (t.accept(","));
  scope.emplace_back("", -1); // counts towards the depth
  openAndParse(i.body);
  scope.pop_back();
  block.push_back(make(std::move(i), at));
}

std::vector<Affine> KernelParser::parseBounds(std::string_view function) {
  if (!t.at(function) || t.peek(1).text != "(") return {parseAffine()};
  t.next(), t.next();
  std::vector<Affine> list;
  do list.push_back(parseAffine());
  while (t.accept(","));
  t.expect(")");
  return list;
}

Affine KernelParser::parseAffine() {
  Affine a;
  bool negative = t.accept("-");
  for (;;) {
    const Affine term = parseTerm();
    a += negative ? term * -1 : term;
    if (t.accept("+")) negative = false;
    else if (t.accept("-")) negative = true;
    else return a;
  }
}

/// 3, i, 3*i, 16*3*i, i*3: integers and at most one variable.
Affine KernelParser::parseTerm() {
  std::int64_t factor = 1;
  int var = -1;
  do {
    if (t.peek().kind == Token::Kind::Number || var >= 0) factor *= t.expectInteger("an integer");
    else var = parseVariable();
  } while (t.accept("*"));
  return var < 0 ? Affine(factor) : Affine::var(var, factor);
}

int KernelParser::parseVariable() {
  const Token at = t.peek();
  const std::string name = t.expectIdentifier("a variable or an integer");
  for (auto s = scope.rbegin(); s != scope.rend(); ++s)
    if (!name.empty() && s->first == name) return s->second;
  if (name.empty()) return -1;
  std::vector<std::string> names;
  for (auto &s : scope) names.push_back(s.first);
  t.errorUnknown(at, fmt::format("unknown variable '{}'{}", name, didYouMean(name, names)));
  return -1;
}

} // namespace netc::loop
