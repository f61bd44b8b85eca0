#include "compiler/loop/kernel_parser.h"

#include <fmt/format.h>

namespace netc::loop {

namespace {
constexpr std::size_t maxDepth = 64; // of nested loops and guards
}

void skipLine(TokenStream &t) {
  while (!t.atEnd() && !t.peek().firstOnLine) t.next();
}

Kernel KernelParser::parse() {
  for (std::size_t i = 0; i < entry.buffers.size(); ++i) buffers.emplace(entry.buffers[i].name, static_cast<int>(i));
  for (std::size_t i = 0; i < entry.scalars.size(); ++i) scalars.emplace(entry.scalars[i].name, static_cast<int>(i));
  for (const char *size : {"count", "blocks", "fullBlocks"}) scope.emplace_back(size, addVariable(size));

  k.name = t.expectIdentifier("the kernel's name");
  if (t.accept("parallel")) {
    const std::string name = t.expectIdentifier("the parallel variable");
    t.expect("<");
    k.parallelExtent = parseAffine();
    k.parallel = addVariable(name);
    k.depthFirst = t.accept("then");
    scope.emplace_back(name, k.parallel);
  }
  if (t.accept("flops")) k.flops = t.expectNumber("the number of operations");
  if (!t.expect("{")) {
    skipLine(t);
    return std::move(k);
  }
  while (t.peek().kind == Token::Kind::String && comments.count(t.peek().location.line)) {
    k.comment.push_back(comments.at(t.peek().location.line));
    t.next();
  }
  while (t.at("reg") && t.peek(1).kind == Token::Kind::Identifier) {
    const int before = t.diagnostics().errorCount();
    parseRegister();
    if (t.diagnostics().errorCount() > before) skipLine(t);
  }
  parseBody(k.body);
  return std::move(k);
}

int KernelParser::addVariable(const std::string &name) {
  k.variables.push_back(name);
  return static_cast<int>(k.variables.size()) - 1;
}

void KernelParser::parseRegister() { // reg acc: f32[6][4]
  t.expect("reg");
  Register r;
  r.name = t.expectIdentifier("the register's name");
  if (registers.count(r.name)) return t.error(fmt::format("register '{}' is declared twice", r.name));
  if (!t.expect(":")) return;
  const std::string type = t.expectIdentifier("the register's type");
  if (const auto found = parseDType(type)) {
    r.type = *found;
  } else if (!type.empty()) {
    t.error(fmt::format("unknown type '{}', expected f32, i32 or bool", type));
  }
  while (t.accept("[")) {
    r.dims.push_back(t.expectInteger("an extent"));
    if (!t.expect("]")) return;
  }
  registers.emplace(r.name, static_cast<int>(k.registers.size()));
  k.registers.push_back(std::move(r));
  typed.push_back(true);
}

/// Statements up to and with the closing brace.
void KernelParser::parseBody(Block &body) {
  while (!t.accept("}")) {
    if (t.atEnd()) return t.error("expected '}', found the end of the file");
    const int before = t.diagnostics().errorCount();
    const Location start = t.peek().location;
    parseStatement(body);
    if (t.diagnostics().errorCount() == before) continue;
    if (t.peek().location.line == start.line && t.peek().location.column == start.column) t.next();
    skipLine(t);
  }
}

void KernelParser::openAndParse(Block &body, int errorsBefore) {
  if (t.diagnostics().errorCount() > errorsBefore) // the head is reported: find the body all the same
    while (!t.atEnd() && !t.at("{") && !t.peek().firstOnLine) t.next();
  const bool open = t.diagnostics().errorCount() > errorsBefore ? t.accept("{") : t.expect("{");
  if (!open) return;
  if (scope.size() > maxDepth) {
    t.error(fmt::format("loops are nested more than {} deep", maxDepth));
    while (!t.atEnd()) t.next();
    return;
  }
  parseBody(body);
}

void KernelParser::parseFor(Block &block, bool unroll) {
  const int before = t.diagnostics().errorCount();
  t.next();
  For f;
  f.unroll = unroll;
  const std::string name = t.expectIdentifier("the loop's variable");
  if (t.expect("in")) {
    f.lower = parseBounds("max");
    if (t.expect("..")) f.upper = parseBounds("min");
    if (t.accept("step")) f.step = t.expectInteger("the loop's step");
  }
  f.var = addVariable(name);
  scope.emplace_back(name, f.var);
  openAndParse(f.body, before);
  scope.pop_back();
  if (t.diagnostics().errorCount() == before) block.push_back(make(std::move(f)));
}

void KernelParser::parseIf(Block &block) {
  const int before = t.diagnostics().errorCount();
  t.next();
  If i;
  do {
    i.conditions.push_back(parseAffine());
    if (!t.expect(">=")) break;
    if (t.peek().kind == Token::Kind::Number && t.peek().text == "0") {
      t.next();
    } else {
      t.error(fmt::format("expected '0', found '{}': guards compare with 0", t.peek().text));
      break;
    }
  } while (t.accept(","));
  scope.emplace_back("", -1); // counts towards the depth
  openAndParse(i.body, before);
  scope.pop_back();
  if (t.diagnostics().errorCount() == before) block.push_back(make(std::move(i)));
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
  const std::string near = nearest(name, names);
  t.diagnostics().error(at.location, fmt::format("unknown variable '{}'{}", name,
                                                 near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
  return -1;
}

} // namespace netc::loop
