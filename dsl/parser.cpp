#include "dsl/parser.h"
#include "dsl/statement_parser.h"

#include <algorithm>
#include <fmt/format.h>

namespace netc::dsl {

namespace {

class Parser : public StatementParser {
 public:
  using StatementParser::StatementParser;

  SourceFile file() {
    SourceFile f;
    while (!in.atEnd()) {
      unclosed = false;
      try {
        guarded([&] { item(f); });
      } catch (const OpenBlock &) {
        blocks = conditions = 0;
      }
    }
    return f;
  }

  ExprPtr single() {
    ExprPtr e;
    guarded([&] {
      e = expression();
      if (!in.atEnd()) failExpected("the end of the value");
    });
    return diag.hasErrors() ? nullptr : std::move(e);
  }

  /// random_crop(32, padding = 4), random_horizontal_flip
  Block steps() {
    Block b;
    guarded([&] {
      do {
        Statement s;
        s.location = in.peek().location;
        s.value = expression();
        b.push_back(std::move(s));
      } while (in.accept(","));
      if (!in.atEnd()) failExpected("',' and a further step");
    });
    return b;
  }

 private:
  void item(SourceFile &f) {
    if (in.accept(";")) return;
    if (in.at("}")) strayBrace();
    if (in.at("import") && in.peek(1).text != "=" && in.peek(1).text != "[") return import(f);
    if (const int kind = declarationAhead(); kind >= 0) return callable(f, static_cast<Callable::Kind>(kind));
    f.statements.push_back(statement());
  }

  [[noreturn]] void strayBrace() {
    if (!diag.hasErrors()) fail(in.peek().location, "a '}' without its '{'");
    in.next(); // an error before it may have taken its '{' along
    throw SyntaxError{};
  }

  void import(SourceFile &f) {
    in.next();
    if (in.peek().kind != Token::Kind::String || atNewLine()) failExpected("the name of a file, a string, after 'import'");
    const Token path = in.next();
    f.imports.push_back({path.text, path.location});
    endOfStatement();
  }

  void callable(SourceFile &f, Callable::Kind kind) {
    Callable c;
    c.kind = kind;
    in.next();
    const Token t = identifier("a name");
    c.name = t.text;
    c.location = t.location;
    if (isReduction(c.name)) fail(t.location, fmt::format("'{}' is the name of a reduction", c.name));
    open("(");
    list(")", [&] { c.parameters.push_back(parameter()); });
    close(")");
    if (kind == Callable::Kind::Layer || kind == Callable::Kind::Optimizer) {
      if (kind == Callable::Kind::Optimizer && !in.at("{"))
        fail(in.peek(-1).location, fmt::format("'optimizer' declares one, with a block; to train by it write train {}(...)", c.name));
      c.body = block();
    } else {
      expect("=");
      c.value = expression();
      if (kind == Callable::Kind::Function && in.at("derivative") && in.peek(1).text != "=") derivatives(c);
    }
    endOfStatement();
    f.callables.push_back(std::move(c));
  }

  /// fn f(a, b) = ... derivative ..., ...: also on the next lines.
  void derivatives(Callable &c) {
    const Location at = begin = in.next().location;
    for (;; begin = in.peek().location) { // a list may go on behind a comma's line
      c.derivatives.push_back(expression());
      if (!in.accept(",")) break;
    }
    const auto needed = std::count_if(c.parameters.begin(), c.parameters.end(), [](const Parameter &p) { return !p.fallback; });
    const std::size_t given = c.derivatives.size();
    if (given == c.parameters.size() || given == static_cast<std::size_t>(needed)) return;
    fail(at, fmt::format("'{}' has {} argument{} without a default, but {} derivative{}: expected one for each", c.name, needed,
                         needed == 1 ? "" : "s", given, given == 1 ? "" : "s"));
  }

  Parameter parameter() {
    Parameter p;
    const Token t = identifier("the name of an argument");
    p.name = t.text;
    p.location = t.location;
    if (in.accept(":")) {
      p.shape = shape();
      p.hasShape = true;
    }
    if (in.accept("=")) p.fallback = expression();
    return p;
  }
};

} // namespace

SourceFile parse(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &diag) {
  std::string name = *file;
  SourceFile parsed = Parser(tokenize(text, std::move(file), diag), diag).file();
  parsed.name = std::move(name);
  return parsed;
}

ExprPtr parseValue(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &diag) {
  return Parser(tokenize(text, std::move(file), diag), diag).single();
}

Block parseSteps(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &diag) {
  return Parser(tokenize(text, std::move(file), diag), diag).steps();
}

} // namespace netc::dsl
