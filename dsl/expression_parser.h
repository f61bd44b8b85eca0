// The part of the parser that reads expressions; the statement parser derives from it.
#pragma once

#include "compiler/support/lexer.h"
#include "dsl/ast.h"

namespace netc::dsl {

/// Unwinds to the next statement; the message has been reported.
struct SyntaxError {};

class ExpressionParser {
 public:
  ExpressionParser(std::vector<Token> tokens, Diagnostics &diag) : in(std::move(tokens), diag), diag(diag) {}

  ExprPtr expression(); // a whole one, pipes included

 protected:
  [[noreturn]] void fail(const Location &, std::string message);
  [[noreturn]] void failExpected(std::string_view what); // "expected WHAT, found 'x'"
  void expect(std::string_view symbol);
  Token identifier(std::string_view what);
  std::string found() const;
  /// True when the next token stands on a new line, outside brackets.
  bool atNewLine() const {
    const Token &t = in.peek();
    return t.firstOnLine && brackets == 0 && (t.location.line != begin.line || t.kind == Token::Kind::End);
  }
  void open(std::string_view symbol);
  void close(std::string_view symbol);
  ExprPtr listItem(); // of a list: an expression, perhaps with `...` behind it
  bool acceptEllipsis();
  ExprPtr expand(ExprPtr); // `e...`
  /// Items with commas between, up to and without `closing`.
  template <class F> void list(std::string_view closing, F item) {
    if (in.at(closing)) return;
    do item();
    while (in.accept(","));
  }
  Shape expressionList(std::string_view closing);
  /// What stands in the braces of a string such as "layer{i + 1}.{j}"; returns it without that: "layer{}.{}".
  std::string partsOf(const Token &text, std::vector<std::shared_ptr<const Expr>> &parts);
  ExprPtr postfix();                              // a call, a name, a subscript

  TokenStream in;
  Diagnostics &diag;
  int brackets = 0;             // open ( and [ of this statement
  std::vector<Location> opened; // where
  Location begin;               // of this statement

 private:
  ExprPtr make(Expr);
  ExprPtr binaryNode(const Token &op, ExprPtr, ExprPtr); // from here on in expression_operators.cpp
  ExprPtr disjunction();
  ExprPtr conjunction();
  ExprPtr negation();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr product();
  ExprPtr unary();
  ExprPtr power();
  ExprPtr primary(); // again in expression_parser.cpp
  ExprPtr reduction();
  ExprPtr call(Token name);
  Argument argument();
  void betweenArguments(const Argument &last);
  ExprPtr pipeInto(ExprPtr left);
  ExprPtr chain();
  ExprPtr locals();
  void localName(Expr &);
  void label(Expr &);
  ExprPtr embedded(const std::string &text, const Location &place);
  bool startsExpression() const;

  static constexpr int deepest = 200; // levels of an expression; keeps every recursive walk within a small stack
  struct Nested { // while it lives
    int &level;
    explicit Nested(int &l) : level(l) { ++level; }
    ~Nested() { --level; }
  };

  int nesting = 0;
  std::string_view whole = "file"; // what is read, for messages
};

} // namespace netc::dsl
