#include "dsl/expression_parser.h"
#include "dsl/parser.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace netc::dsl {

namespace {

constexpr std::array<std::string_view, 8> reductions = {"sum",  "mean",   "max",   "min",
                                                        "prod", "argmax", "argmin", "logsumexp"};

/// How the operator that stands here is written in this language.
std::string_view adviceOn(const Token &before, const Token &t) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> operators = {
      {{"&&", "conditions are joined by 'and' and 'or'"},
       {"|", "conditions are joined by 'and' and 'or'"},
       {"!", "a condition is turned round by 'not'"},
       {"%", "the remainder is mod(a, b)"},
       {"?", "a choice is written where(condition, a, b)"},
       {"@", "a product of matrices is written with indices, as in sum(k) a[n, k] * b[k, o]"}}};
  if (t.kind != Token::Kind::Symbol) return {};
  const bool doubled = before.kind == Token::Kind::Symbol && before.text == t.text && !t.spaceBefore && !t.firstOnLine;
  if (doubled && t.text == "*") return "a power is written x ^ 2";
  if (doubled && t.text == "/") return "a comment begins with #; div(a, b) divides rounding down";
  for (const auto &[theirs, advice] : operators)
    if (theirs == t.text) return advice;
  return {};
}

} // namespace

bool isReduction(std::string_view word) {
  return std::find(reductions.begin(), reductions.end(), word) != reductions.end();
}

void ExpressionParser::fail(const Location &at, std::string message) {
  if (in.unreadable(begin.line, at.line)) throw SyntaxError{};
  diag.error(at, std::move(message));
  if (const std::string_view advice = adviceOn(in.peek(-1), in.peek()); !advice.empty()) diag.note(at, std::string(advice));
  throw SyntaxError{};
}

std::string ExpressionParser::found() const {
  const Token &t = in.peek();
  if (t.kind == Token::Kind::End) return fmt::format("the end of the {}", whole);
  if (atNewLine()) return "the end of the line";
  if (t.kind == Token::Kind::String) return fmt::format("the string \"{}\"", t.text);
  return fmt::format("'{}'", t.text);
}

void ExpressionParser::failExpected(std::string_view what) {
  Location at = in.peek().location;
  if (atNewLine()) { // the place is behind the last word of the statement
    const Token &last = in.peek(-1);
    at = last.location;
    at.column += static_cast<int>(last.text.size());
  }
  fail(at, fmt::format("expected {}, found {}", what, found()));
}

void ExpressionParser::expect(std::string_view symbol) {
  if (atNewLine() || !in.accept(symbol)) failExpected(fmt::format("'{}'", symbol));
}

Token ExpressionParser::identifier(std::string_view what) {
  if (in.peek().kind != Token::Kind::Identifier || atNewLine()) failExpected(what);
  return in.next();
}

void ExpressionParser::open(std::string_view symbol) {
  opened.push_back(in.peek().location);
  expect(symbol);
  ++brackets;
}

void ExpressionParser::close(std::string_view symbol) {
  if (!in.at(symbol)) {
    if (!in.unreadable(begin.line, in.peek().location.line)) {
      diag.error(in.peek().location, fmt::format("expected '{}', found {}", symbol, found()));
      diag.note(opened.back(), "to close this bracket");
    }
    throw SyntaxError{};
  }
  in.next();
  opened.pop_back();
  --brackets;
}

Shape ExpressionParser::expressionList(std::string_view closing) {
  Shape items;
  list(closing, [&] { items.push_back(listItem()); });
  return items;
}

bool ExpressionParser::acceptEllipsis() { // the lexer knows ".." and "."
  if (!in.at("..") || in.peek(1).text != "." || atNewLine()) return false;
  in.next();
  in.next();
  return true;
}

ExprPtr ExpressionParser::expand(ExprPtr pattern) {
  Expr e;
  e.kind = Expr::Kind::Expand;
  e.location = pattern->location;
  const Location at = pattern->location;
  e.args.push_back({"", at, std::move(pattern)});
  return make(std::move(e));
}

ExprPtr ExpressionParser::listItem() {
  ExprPtr e = expression();
  return acceptEllipsis() ? expand(std::move(e)) : std::move(e);
}

ExprPtr ExpressionParser::make(Expr e) {
  e.packs = e.packs || e.kind == Expr::Kind::Expand;
  for (const Argument &a : e.args) {
    e.depth = std::max(e.depth, a.value->depth + 1);
    e.packs = e.packs || a.value->packs;
  }
  for (const Binder &b : e.binders) {
    if (b.bound) e.depth = std::max(e.depth, b.bound->depth + 1);
    e.packs = e.packs || b.pack || (b.bound && b.bound->packs);
  }
  if (e.depth > deepest)
    fail(e.location,
         fmt::format("this expression nests more than {} levels: give parts of it a name", deepest));
  return std::make_unique<Expr>(std::move(e));
}

ExprPtr ExpressionParser::expression() {
  Nested guard(nesting);
  if (nesting > deepest)
    fail(in.peek().location, fmt::format("brackets nest more than {} levels: give parts a name", deepest));
  if (in.at("|>") && !atNewLine()) return chain();
  ExprPtr e = disjunction();
  while (in.accept("|>"))
    e = pipeInto(std::move(e));
  return e;
}

/// |> conv(8, 3) |> relu: what comes in is not there yet.
ExprPtr ExpressionParser::chain() {
  Expr c;
  c.kind = Expr::Kind::Chain;
  c.location = in.peek().location;
  Expr input;
  input.kind = Expr::Kind::Input;
  input.location = c.location;
  ExprPtr calls = make(std::move(input));
  while (in.accept("|>"))
    calls = pipeInto(std::move(calls));
  c.args.push_back({"", c.location, std::move(calls)});
  return make(std::move(c));
}

/// { a = x - 1; a * a }. Inside, lines end as they do in a block, also within other brackets.
ExprPtr ExpressionParser::locals() {
  Expr e;
  e.kind = Expr::Kind::Locals;
  e.location = in.next().location;
  const int outerBrackets = brackets;
  const Location outerBegin = begin;
  brackets = 0;
  while (!in.at("}")) {
    if (in.accept(";")) continue;
    if (in.atEnd()) {
      diag.error(in.peek().location, fmt::format("expected '}}', found {}", found()));
      diag.note(e.location, "to close this brace");
      throw SyntaxError{};
    }
    try {
      localName(e);
    } catch (const SyntaxError &) { // the closing brace belongs to this mistake
      for (int depth = 1; depth > 0 && !in.atEnd();) {
        const Token t = in.next();
        if (t.kind == Token::Kind::Symbol) depth += (t.text == "{") - (t.text == "}");
      }
      throw;
    }
  }
  brackets = outerBrackets;
  begin = outerBegin;
  begin.line = in.next().location.line;
  if (e.args.empty() || !e.args.back().name.empty())
    fail(e.location, "the last line in these braces is their value: an expression without a name");
  return make(std::move(e));
}

void ExpressionParser::localName(Expr &e) {
  if (!e.args.empty() && e.args.back().name.empty())
    fail(e.args.back().location, "the value stands last in these braces: give this one a name, as in a = ...");
  begin = in.peek().location;
  Argument a;
  a.location = begin;
  if (in.peek().kind == Token::Kind::Identifier && in.peek(1).kind == Token::Kind::Symbol && in.peek(1).text == "=") {
    a.name = in.next().text;
    in.next();
  }
  a.value = expression();
  e.args.push_back(std::move(a));
  if (!in.at(";") && !in.at("}") && !in.atEnd() && !in.peek().firstOnLine)
    fail(in.peek().location, fmt::format("expected the end of this line, found {}", found()));
}

ExprPtr ExpressionParser::pipeInto(ExprPtr left) {
  if (in.peek().kind != Token::Kind::Identifier || isReduction(in.peek().text))
    failExpected("the name of a layer or function after '|>'");
  const Token name = in.next();
  ExprPtr e;
  if (in.at("(") && !atNewLine()) {
    e = call(name);
  } else {
    Expr plain;
    plain.kind = Expr::Kind::Call;
    plain.location = name.location;
    plain.text = name.text;
    label(plain);
    e = make(std::move(plain));
  }
  const Location at = left->location;
  e->args.insert(e->args.begin(), Argument{"", at, std::move(left)});
  return make(std::move(*e));
}

ExprPtr ExpressionParser::postfix() {
  ExprPtr e = primary();
  while (in.at("[") && !atNewLine() &&
         (e->kind == Expr::Kind::Name || e->kind == Expr::Kind::Call || e->kind == Expr::Kind::Subscript)) {
    Expr s;
    s.kind = Expr::Kind::Subscript;
    s.location = e->location;
    const Location at = e->location;
    s.args.push_back({"", at, std::move(e)});
    open("[");
    for (ExprPtr &x : expressionList("]")) {
      const Location place = x->location;
      s.args.push_back({"", place, std::move(x)});
    }
    close("]");
    e = make(std::move(s));
  }
  return e;
}

void ExpressionParser::label(Expr &e) {
  if (!in.accept("as")) return;
  e.labelLocation = in.peek().location;
  if (in.peek().kind != Token::Kind::String || atNewLine()) {
    e.label = identifier("a name after 'as'").text;
    return;
  }
  const Token text = in.next();
  e.label = partsOf(text, e.labelParts);
  for (const auto &part : e.labelParts)
    e.depth = std::max(e.depth, part->depth + 1);
  if (e.label.empty()) fail(text.location, "expected a name after 'as', found an empty string");
}

std::string ExpressionParser::partsOf(const Token &text, std::vector<std::shared_ptr<const Expr>> &parts) {
  std::string rest;
  for (std::size_t at = 0; at < text.text.size(); ++at) {
    rest += text.text[at];
    if (text.text[at] != '{') continue;
    const std::size_t end = text.text.find('}', at);
    Location place = text.location;
    place.column += static_cast<int>(at) + 1; // behind the quote
    if (end == std::string::npos) fail(place, "a '{' without its '}' in this string");
    ++place.column;
    parts.push_back(embedded(text.text.substr(at + 1, end - at - 1), place));
    at = end - 1;
  }
  return rest;
}

/// An expression that is a part of a string, which begins at `place`.
ExprPtr ExpressionParser::embedded(const std::string &text, const Location &place) {
  const auto shift = [&](Location &l) { l.line = place.line, l.column += place.column - 1; };
  Diagnostics own;
  std::vector<Token> tokens = tokenize(text, place.file, own);
  for (Token &t : tokens)
    shift(t.location), t.firstOnLine = false;
  for (Diagnostics::Entry x : own.entries())
    shift(x.location), diag.error(x.location, x.message);
  if (own.hasErrors()) throw SyntaxError{};
  ExpressionParser inner(std::move(tokens), diag);
  inner.nesting = nesting + 1;
  inner.whole = "braces";
  inner.begin = place;
  ExprPtr e = inner.expression();
  if (!inner.in.atEnd()) inner.failExpected("'}'");
  return e;
}

Argument ExpressionParser::argument() {
  Argument a;
  a.location = in.peek().location;
  if (in.peek().kind == Token::Kind::Identifier && in.peek(1).text == "=" && in.peek(1).kind == Token::Kind::Symbol) {
    a.name = in.next().text;
    in.next();
  }
  a.value = a.name.empty() ? listItem() : expression();
  return a;
}

/// Says what is missing in f(momentum 0.9).
void ExpressionParser::betweenArguments(const Argument &last) {
  const bool isName = last.name.empty() && last.value->kind == Expr::Kind::Name;
  if (isName && startsExpression() && !in.peek().firstOnLine) failExpected(fmt::format("'=' or ',' behind '{}'", last.value->text));
}

ExprPtr ExpressionParser::call(Token name) {
  Expr e;
  e.kind = Expr::Kind::Call;
  e.location = name.location;
  e.text = name.text;
  open("(");
  list(")", [&] { e.args.push_back(argument()); });
  if (!e.args.empty()) betweenArguments(e.args.back());
  close(")");
  label(e);
  return make(std::move(e));
}

bool ExpressionParser::startsExpression() const {
  const Token &t = in.peek();
  if (atNewLine()) return false;
  if (t.kind != Token::Kind::Symbol) return t.kind != Token::Kind::End && !in.at("as") && !in.at("else");
  return in.at("(") || in.at("[") || in.at("-") || in.at("{");
}

ExprPtr ExpressionParser::reduction() {
  const Token op = in.next();
  const std::string two = op.text == "max" || op.text == "min" ? op.text + "imum" : "";
  const std::string hint =
      two.empty()
          ? fmt::format("'{0}' reduces over indices: write {0}(k) x[k]", op.text)
          : fmt::format("'{0}' reduces over indices, as in {0}(k) x[k]; of two numbers it is {1}(a, b)",
                        op.text, two);
  if (!in.at("(") || atNewLine()) fail(op.location, hint);
  Expr e;
  e.kind = Expr::Kind::Reduce;
  e.location = op.location;
  e.text = op.text;
  open("(");
  list(")", [&] {
    if (in.peek().kind != Token::Kind::Identifier) fail(in.peek().location, hint);
    const Token index = in.next();
    Binder b{index.text, index.location, nullptr, false};
    if (in.accept("<")) b.bound = sum();
    b.pack = acceptEllipsis();
    if (!b.bound && !b.pack && !in.at(",") && !in.at(")")) fail(in.peek().location, hint);
    e.binders.push_back(std::move(b));
  });
  close(")");
  if (e.binders.empty() || !startsExpression()) fail(op.location, hint);
  ExprPtr body = product();
  e.args.push_back({"", body->location, std::move(body)});
  return make(std::move(e));
}

ExprPtr ExpressionParser::primary() {
  const Token &t = in.peek();
  Expr e;
  e.location = t.location;
  if (atNewLine()) failExpected("an expression");
  if (t.kind == Token::Kind::Number) {
    e.kind = Expr::Kind::Number;
    e.number = in.next().number;
    return make(std::move(e));
  }
  if (t.kind == Token::Kind::String) {
    e.kind = Expr::Kind::Text;
    e.text = in.next().text;
    return make(std::move(e));
  }
  if (t.kind == Token::Kind::Identifier) {
    static constexpr std::array<std::string_view, 6> words = {"as", "else", "if", "and", "or", "like"};
    if (std::find(words.begin(), words.end(), t.text) != words.end()) failExpected("an expression");
    if (isReduction(t.text)) return reduction();
    const Token name = in.next();
    if (in.at("(") && !atNewLine()) return call(name);
    e.kind = Expr::Kind::Name;
    e.text = name.text;
    return make(std::move(e));
  }
  if (in.at("(")) {
    open("(");
    ExprPtr inner = expression();
    close(")");
    return inner;
  }
  if (in.at("[")) {
    open("[");
    e.kind = Expr::Kind::Bracket;
    for (ExprPtr &x : expressionList("]")) {
      const Location place = x->location;
      e.args.push_back({"", place, std::move(x)});
    }
    close("]");
    if (e.args.empty()) fail(e.location, "an empty pair of brackets: expected a condition or numbers");
    return make(std::move(e));
  }
  if (in.at("{")) return locals();
  failExpected("an expression");
}

} // namespace netc::dsl
