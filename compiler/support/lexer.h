// One tokenizer for all texts of netc: .net, .graph, .sched, .loops and the function table's expressions.
#pragma once

#include "compiler/support/diagnostics.h"

#include <string>
#include <vector>

namespace netc {

struct Token {
  enum class Kind { Identifier, Number, String, Symbol, End };
  Kind kind = Kind::End;
  std::string text;    // identifier, symbol, number as written, string without quotes (escapes resolved)
  double number = 0;   // Number
  bool isInteger = false;
  bool firstOnLine = false; // nothing but blanks before it on its line
  bool spaceBefore = false;
  Location location;
};

struct LexerOptions {
  bool dottedIdentifiers = true; // "conv1.weight" is one identifier (never ends in a dot)
};

/// Comments run from # to the end of the line. Multi-character symbols: |> == != <= >= -> += :: ..
/// Errors (a stray character, an open string) go to diagnostics and the token is skipped. Ends with an End token.
std::vector<Token> tokenize(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &,
                            LexerOptions = {});

/// A cursor with the usual helpers; the parsers of .graph, .sched and .loops are built on it.
class TokenStream {
public:
  TokenStream(std::vector<Token> tokens, Diagnostics &diagnostics)
      : tokens(std::move(tokens)), diag(diagnostics) {}
  const Token &peek(int ahead = 0) const;
  Token next();
  std::size_t mark() const { return position; }
  /// What was consumed since then, as written but on one line and without comments.
  std::string textSince(std::size_t mark) const;
  bool atEnd() const { return peek().kind == Token::Kind::End; }
  bool at(std::string_view text) const; // identifier or symbol with that text (never a string)
  bool accept(std::string_view text);   // consumes it if it is next
  /// Reports "expected 'x', found 'y'" and returns false if it is not next.
  bool expect(std::string_view text);
  std::string expectIdentifier(std::string_view what);
  std::int64_t expectInteger(std::string_view what); // with an optional minus sign
  double expectNumber(std::string_view what);        // with an optional minus sign; inf and nan are numbers too
  std::string expectString(std::string_view what);
  void error(std::string message) { diag.error(peek().location, std::move(message)); }
  Diagnostics &diagnostics() { return diag; }

private:
  std::vector<Token> tokens; // ends with End
  std::size_t position = 0;
  Diagnostics &diag;
};

} // namespace netc
