// One tokenizer for all texts of netc: .net, .graph, .sched, .loops and the function table's expressions.
#pragma once

#include "compiler/support/diagnostics.h"

#include <set>
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
/// Errors (a stray character, an open string) go to diagnostics and the token is skipped. Ends with an End token; a text
/// that is binary is one error and has no others.
std::vector<Token> tokenize(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &,
                            LexerOptions = {});

/// Names about which nothing more is said: they stand in a statement that could not be read, or were reported already.
class NamesInError {
public:
  void add(const std::string &name) { names.insert(name); }
  /// A declaration lost its name: from now on any unknown name may be that one.
  void loseOne() { lost = true; }
  /// True for the first mention of a name that nothing excuses.
  bool firstMention(const std::string &name) { return names.insert(name).second && !lost; }

private:
  std::set<std::string, std::less<>> names;
  bool lost = false;
};

/// A cursor with the usual helpers; the parsers of .graph, .sched and .loops are built on it. After an error it is silent
/// until the parser has found its way again, so that one mistake is reported once.
class TokenStream {
public:
  TokenStream(std::vector<Token> tokens, Diagnostics &diagnostics);
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
  /// "expected WHAT, found 'y'", at the next token, or behind the last one of the line that ends too early.
  void errorExpected(std::string_view what);
  void error(std::string message) { error(peek().location, std::move(message)); }
  void error(const Location &, std::string message);
  /// Once for each name.
  void errorUnknown(const Token &name, std::string message);
  bool failed() const { return inError; } // silent since an error
  void resume() { inError = false; }

  /// A statement begins here; recover() belongs to it.
  void begin() { start = position; }
  /// After an error in the statement: goes on at the next line, behind a block that has been opened. Its names
  /// excuse what does not know them.
  void recover();
  /// The '{' of a block; after an error in its head, goes on in the block, if it is there, and at the next line.
  void openBlock();
  /// True when a character of lines `from` to `to` could not be read, which excuses what follows from it.
  bool unreadable(int from, int to) const;
  std::string found() const; // "'y'" or "the end of the file"
  NamesInError &names() { return excused; }
  Diagnostics &diagnostics() { return diag; }

private:
  void excuseNames(std::size_t end);

  std::vector<Token> tokens; // ends with End
  std::size_t position = 0, start = 0;
  Diagnostics &diag;
  bool inError = false;
  NamesInError excused;
  std::set<int> unreadableLines;
};

} // namespace netc
