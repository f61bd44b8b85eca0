#include "dsl/statement_parser.h"
#include "dsl/parser.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace netc::dsl {

namespace {

constexpr int deepestBlock = 50;

} // namespace

void StatementParser::skipStatement(int column) {
  const auto begins = [&] {
    const Token &t = in.peek();
    if (in.at("}") || in.at(";")) return true;
    static constexpr std::string_view closing = ")],";
    return t.firstOnLine && t.location.column <= column && !isInfix(t) &&
           !(t.kind == Token::Kind::Symbol && closing.find(t.text) != std::string_view::npos);
  };
  bool missing = blockMissing; // its lines and its brace are skipped, too
  blockMissing = false;
  while (!in.atEnd() && !begins()) {
    if (in.next().text != "{") continue;
    skipBlock();
    missing = false;
  }
  if (missing && in.accept("}"))
    skipElse();
  else
    in.accept(";");
}

void StatementParser::skipElse() {
  while (in.accept("else")) {
    while (!in.atEnd() && !in.at("{") && !in.at("}"))
      in.next();
    if (in.next().text == "{") skipBlock();
  }
}

bool StatementParser::isInfix(const Token &t) {
  static constexpr std::array<std::string_view, 19> words = {"|>", "or", "and", "==", "!=", "<",    "<=", ">",  ">=", "+",
                                                             "-",  "*",  "/",   "^",  "as", "else", "=",  "+=", "~"};
  return t.kind != Token::Kind::String && std::find(words.begin(), words.end(), t.text) != words.end();
}

void StatementParser::skipBlock() {
  for (int depth = 1; depth > 0 && !in.atEnd();) {
    const Token t = in.next();
    if (t.kind != Token::Kind::Symbol) continue;
    if (t.text == "{") ++depth;
    if (t.text == "}") --depth;
  }
  skipElse();
}

int StatementParser::declarationAhead() const {
  static constexpr std::array<std::string_view, 4> words = {"layer", "fn", "init", "optimizer"};
  for (std::size_t i = 0; i < words.size(); ++i)
    if (in.at(words[i]) && in.peek(1).kind == Token::Kind::Identifier && !in.peek(1).firstOnLine) return static_cast<int>(i);
  return -1;
}

Shape StatementParser::shape() {
  open("[");
  Shape s = expressionList("]");
  close("]");
  return s;
}

Block StatementParser::block() {
  if (++blocks > deepestBlock) fail(in.peek().location, "blocks nest too deeply");
  const Location start = in.peek().location;
  if (!in.at("{")) { // on the next line, too
    blockMissing = true;
    failExpected("'{'");
  }
  in.next();
  Block b;
  const int errors = diag.errorCount();
  const auto cutShort = [&] { // by what can only stand behind it
    return in.atEnd() || (in.peek().location.column == 1 && declarationAhead() >= 0) ||
           (conditions > 0 && in.at("else") && in.peek().firstOnLine);
  };
  while (!in.at("}") && !cutShort()) {
    if (in.accept(";")) continue;
    guarded([&] { b.push_back(statement()); });
  }
  --blocks;
  brackets = 0;
  if (!in.accept("}")) notClosed(start, errors);
  return b;
}

void StatementParser::notClosed(const Location &start, int errorsBefore) {
  if (!unclosed && diag.errorCount() == errorsBefore) {
    diag.error(in.peek().location, fmt::format("expected '}}', found {}", in.found()));
    diag.note(start, "the block that is still open begins here");
  }
  unclosed = true;
  if (!in.at("else")) throw OpenBlock{};
}

void StatementParser::endOfStatement() {
  if (in.accept(";") || in.atEnd() || in.at("}") || in.peek().firstOnLine) return;
  fail(in.peek().location, fmt::format("expected the end of the statement, found {}", found()));
}

Statement StatementParser::statement() {
  Statement s;
  s.location = in.peek().location;
  if (in.at("import") && in.peek(1).kind == Token::Kind::String)
    fail(s.location, "'import' stands at the top of a file, not in a block");
  if (declarationAhead() >= 0) fail(s.location, fmt::format("'{}' declares at the top of a file, not in a block", in.peek().text));
  if (in.peek().kind == Token::Kind::Identifier && !in.at("if") && in.peek(1).text == "=" &&
      in.peek(1).kind == Token::Kind::Symbol) {
    definition(s);
  } else if (!declaration(s) && !subscripted(s)) {
    rejectUnknownWord();
    s.value = expression();
  }
  endOfStatement();
  return s;
}

void StatementParser::rejectUnknownWord() {
  static constexpr std::array<std::string_view, 6> joining = {"and", "or", "as", "else", "on", "derivative"};
  static const std::vector<std::string> words = {"model",   "const",  "input", "target", "output", "loss",     "metric",
                                                 "train",   "param",  "state", "next",   "repeat", "data",     "if",
                                                 "require", "import", "layer", "fn",     "init",   "optimizer"};
  struct Foreign {
    const char *theirs, *ours;
  };
  static constexpr Foreign foreign[] = {{"for", "repeat"},  {"while", "repeat"}, {"def", "layer"},    {"class", "layer"},
                                        {"function", "fn"}, {"let", "const"},    {"weight", "param"}, {"assert", "require"}};
  const Token word = in.peek(), next = in.peek(1);
  if (word.kind != Token::Kind::Identifier || next.kind != Token::Kind::Identifier || next.firstOnLine) return;
  if (word.text == "not" || isReduction(word.text) || std::find(joining.begin(), joining.end(), next.text) != joining.end()) return;
  std::string near = nearest(word.text, words);
  for (const auto &[theirs, ours] : foreign)
    if (theirs == word.text) near = ours;
  fail(word.location, fmt::format("unknown statement '{}'{}", word.text, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

void StatementParser::named(Statement &s, std::string_view what) {
  const Token t = identifier(what);
  s.name = t.text;
  s.nameLocation = t.location;
}

void StatementParser::definition(Statement &s) {
  s.kind = Statement::Kind::Define;
  if (isReduction(in.peek().text))
    fail(in.peek().location, fmt::format("'{}' is the name of a reduction", in.peek().text));
  if (in.at("loss")) fail(in.peek(1).location, "expected the loss, an expression, or a name for it before the '='");
  for (const char *word : {"const", "output", "metric", "next"})
    if (in.at(word)) fail(in.peek(1).location, fmt::format("expected a name after '{}', found '='", word));
  named(s, "a name");
  expect("=");
  s.value = listItem();
}

bool StatementParser::declaration(Statement &s) {
  using K = Statement::Kind;
  if (in.peek().kind != Token::Kind::Identifier) return false;
  static constexpr std::array<std::pair<std::string_view, K>, 15> words = {{{"model", K::Model},
                                                                            {"const", K::Const},
                                                                            {"input", K::Input},
                                                                            {"target", K::Target},
                                                                            {"output", K::Output},
                                                                            {"loss", K::Loss},
                                                                            {"metric", K::Metric},
                                                                            {"train", K::Train},
                                                                            {"param", K::Param},
                                                                            {"state", K::State},
                                                                            {"next", K::Next},
                                                                            {"if", K::If},
                                                                            {"require", K::Require},
                                                                            {"repeat", K::Repeat},
                                                                            {"data", K::Data}}};
  for (const auto &[word, kind] : words) {
    if (!in.at(word) || (kind == K::Data && !atDataBlock())) continue;
    s.kind = kind;
    in.next();
    finish(s);
    return true;
  }
  return false;
}

bool StatementParser::atDataBlock() const {
  const Token &next = in.peek(1);
  return !next.firstOnLine && (next.kind == Token::Kind::Identifier || (next.kind == Token::Kind::Symbol && next.text == "{"));
}

void StatementParser::finish(Statement &s) {
  switch (s.kind) {
  case Statement::Kind::Model:
    return named(s, "the model's name");
  case Statement::Kind::Const:
    named(s, "the constant's name");
    return valueOf(s);
  case Statement::Kind::Input:
  case Statement::Kind::Target:
    named(s, "a name");
    return type(s.type);
  case Statement::Kind::Output:
    named(s, "the output's name");
    if (in.at("=")) valueOf(s);
    return;
  case Statement::Kind::Loss:
    if (in.peek().kind == Token::Kind::Identifier && in.peek(1).text == "=")
      return named(s, "a name"), valueOf(s);
    s.value = expression();
    return;
  case Statement::Kind::Metric:
    named(s, "the metric's name");
    if (in.at("(") && !atNewLine()) failExpected("'=' and a number, as in accuracy = mean(n) [argmax(k) logits[n, k] == label[n]]");
    return valueOf(s);
  case Statement::Kind::Train:
    return plan(s);
  case Statement::Kind::Param:
  case Statement::Kind::State:
    named(s, "a name");
    return stored(s);
  case Statement::Kind::Next:
    named(s, "the name of a state");
    return valueOf(s);
  case Statement::Kind::If:
    return conditional(s);
  case Statement::Kind::Require:
    return requirement(s);
  case Statement::Kind::Repeat:
    if (in.peek().kind == Token::Kind::Identifier && in.peek(1).text == "<") {
      named(s, "the name of the index");
      in.next();
    }
    if (in.at("{")) failExpected("the number of repetitions");
    s.value = expression();
    s.then = block();
    return;
  case Statement::Kind::Data:
    if (in.peek().kind == Token::Kind::Identifier) named(s, "the name of an input");
    s.then = block();
    return;
  case Statement::Kind::Define:
  case Statement::Kind::Indexed:
  case Statement::Kind::Value:
    return;
  }
}

void StatementParser::valueOf(Statement &s) {
  expect("=");
  s.value = expression();
}

void StatementParser::type(Type &t) {
  expect(":");
  const Token word = identifier("a type such as f32[N, 3] or class(10)[N]");
  t.name = word.text;
  t.location = word.location;
  if (t.name == "class") {
    open("(");
    if (in.peek().kind == Token::Kind::String)
      list(")", [&] {
        if (in.peek().kind != Token::Kind::String) failExpected("the name of a class, a string");
        t.classNames.push_back(in.next().text);
      });
    else
      t.classes = expression();
    close(")");
  }
  t.shape = shape();
}

void StatementParser::plan(Statement &s) {
  const std::size_t start = in.mark();
  if (in.peek().kind == Token::Kind::Identifier && in.peek(1).text == ":" && in.peek(1).kind == Token::Kind::Symbol) {
    named(s, "the plan's name");
    in.next();
  }
  do {
    s.parts.push_back(planPart());
  } while (in.accept("+"));
  if (!atNewLine() && in.accept(",")) {
    if (!atEvery()) failExpected("'every = ' and a number of samples");
    in.next();
    valueOf(s);
  }
  s.text = in.textSince(start);
}

PlanPart StatementParser::planPart() {
  PlanPart part;
  part.optimizer = postfix();
  if (atNewLine() || !in.accept("on")) return part;
  part.patterns.push_back(pattern());
  while (in.at(",") && !atEvery(/*ahead=*/1)) {
    in.next();
    part.patterns.push_back(pattern());
  }
  return part;
}

bool StatementParser::atEvery(int ahead) const {
  return in.peek(ahead).kind == Token::Kind::Identifier && in.peek(ahead).text == "every" &&
         in.peek(ahead + 1).text == "=";
}

Pattern StatementParser::pattern() {
  Pattern p;
  p.location = in.peek().location;
  if (in.peek().kind == Token::Kind::String && !atNewLine()) {
    p.text = in.next().text;
    return p;
  }
  const auto continues = [&] {
    const Token &t = in.peek();
    const bool path = t.kind == Token::Kind::Identifier || t.kind == Token::Kind::Number || in.at("*") || in.at(".");
    return path && !atNewLine() && (p.text.empty() || !(t.spaceBefore || t.firstOnLine));
  };
  while (continues())
    p.text += in.next().text;
  if (p.text.empty()) failExpected("the parameters' names after 'on', such as head.* or *.weight");
  return p;
}

void StatementParser::stored(Statement &s) {
  expect(":");
  if (in.at("like")) {
    if (s.kind == Statement::Kind::Param) failExpected("the shape of the parameter");
    in.next();
    const Token t = identifier("a name after 'like'");
    s.like = t.text;
    s.likeLocation = t.location;
  } else {
    s.shape = shape();
    s.hasShape = true;
  }
  if (in.accept("~")) s.init = expression();
}

void StatementParser::conditional(Statement &s) {
  if (in.at("{")) failExpected("a condition");
  s.value = expression();
  ++conditions;
  s.then = block();
  --conditions;
  if (!in.accept("else")) return;
  if (!in.at("if")) {
    s.otherwise = block();
    return;
  }
  if (++blocks > deepestBlock) fail(in.peek().location, "blocks nest too deeply");
  Statement inner;
  inner.location = in.next().location;
  inner.kind = Statement::Kind::If;
  conditional(inner);
  s.otherwise.push_back(std::move(inner));
  --blocks;
}

void StatementParser::requirement(Statement &s) {
  s.value = expression();
  expect(",");
  if (in.peek().kind != Token::Kind::String) failExpected("the message, a string");
  const Token text = in.next();
  s.message = text.text;
  partsOf(text, s.messageParts);
}

bool StatementParser::subscripted(Statement &s) {
  if (in.peek().kind != Token::Kind::Identifier || in.peek(1).text != "[") return false;
  int depth = 0, i = 1;
  for (;; ++i) {
    const Token &t = in.peek(i);
    if (t.kind == Token::Kind::End) return false;
    if (t.kind != Token::Kind::Symbol) continue;
    if (t.text == "[") ++depth;
    if (t.text == "]" && --depth == 0) break;
  }
  const Token &after = in.peek(i + 1);
  if (after.kind != Token::Kind::Symbol || after.firstOnLine ||
      (after.text != "=" && after.text != "+=" && after.text != ":"))
    return false;
  s.kind = Statement::Kind::Indexed;
  named(s, "a name");
  s.subscripts = shape();
  if (in.accept(":")) {
    s.shape = shape();
    s.hasShape = true;
  }
  s.accumulates = in.accept("+=");
  if (!s.accumulates) expect("=");
  s.value = expression();
  if (in.accept("else")) s.elseValue = expression();
  return true;
}

} // namespace netc::dsl
