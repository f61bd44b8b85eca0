#include "compiler/support/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <limits>

namespace netc {

namespace {

bool identifierStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool identifierPart(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

/// The first byte that no text has: a control character. Bytes of other encodings are fine in comments.
std::size_t findBinary(const std::string &text) {
  const auto it = std::find_if(text.begin(), text.end(), [](char c) {
    return (c >= 0 && c < 0x20 && !std::isspace(static_cast<unsigned char>(c))) || c == 0x7f;
  });
  return it == text.end() ? std::string::npos : static_cast<std::size_t>(it - text.begin());
}

/// What an editor or a text program has put in place of a sign of the language.
std::string meant(std::string_view character) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 13> signs = {{{"\u2212", "'-'"},
                                                                                          {"\u2013", "'-'"},
                                                                                          {"\u00d7", "'*'"},
                                                                                          {"\u00b7", "'*'"},
                                                                                          {"\u00f7", "'/'"},
                                                                                          {"\u2264", "'<='"},
                                                                                          {"\u2265", "'>='"},
                                                                                          {"\u2260", "'!='"},
                                                                                          {"\u201c", "'\"'"},
                                                                                          {"\u201d", "'\"'"},
                                                                                          {"\u2018", "'\"'"},
                                                                                          {"\u2019", "'\"'"},
                                                                                          {"\u00a0", "a blank"}}};
  for (const auto &[theirs, ours] : signs)
    if (theirs == character) return fmt::format("; did you mean {}?", ours);
  const bool letter = character.size() > 1 && static_cast<unsigned char>(character[0]) < 0xe2; // of Latin, Greek, ...
  return letter ? ": names are made of the letters a to z, digits and '_'" : "";
}

class Lexer {
public:
  Lexer(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &diag, LexerOptions options)
      : text(text), file(std::move(file)), diag(diag), options(options) {}

  std::vector<Token> run() {
    if (text.starts_with("\xef\xbb\xbf")) at = lineBegin = 3; // a byte order mark
    if (const std::size_t binary = findBinary(text); binary != std::string::npos) {
      const std::size_t newline = text.substr(0, binary).rfind('\n');
      line += static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(binary), '\n'));
      lineBegin = newline == std::string::npos ? 0 : newline + 1;
      at = binary;
      diag.error(here(), fmt::format("this is no text: byte 0x{:02x}", static_cast<unsigned char>(text[at])));
      at = text.size();
    }
    for (;;) {
      skipBlanks();
      Token t;
      t.firstOnLine = lineStart;
      t.spaceBefore = blank;
      t.location = here();
      lineStart = blank = false;
      if (at >= text.size()) {
        t.firstOnLine = true;
        tokens.push_back(t);
        return std::move(tokens);
      }
      if (read(t)) tokens.push_back(std::move(t));
    }
  }

private:
  char peek(std::size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  Location here() const { return {file, line, static_cast<int>(at - lineBegin) + 1}; }

  void skipBlanks() {
    while (at < text.size()) {
      if (text[at] == '#') {
        while (at < text.size() && text[at] != '\n') ++at;
      } else if (text[at] == '\n') {
        ++at, ++line, lineBegin = at, lineStart = blank = true;
      } else if (std::isspace(static_cast<unsigned char>(text[at]))) {
        ++at, blank = true;
      } else {
        return;
      }
    }
  }

  bool read(Token &t) {
    const char c = peek();
    if (identifierStart(c)) return readIdentifier(t);
    if (digit(c) || (c == '.' && digit(peek(1)))) return readNumber(t);
    if (c == '"') return readString(t);
    static constexpr std::array<std::string_view, 10> pairs = {"|>", "==", "!=", "<=", ">=", "->", "+=", "::", "..", "&&"};
    for (std::string_view p : pairs)
      if (text.compare(at, 2, p) == 0) return readSymbol(t, 2);
    static constexpr std::string_view single = "()[]{}<>=+-*/^,:;|~@&!%.'?";
    if (single.find(c) != std::string_view::npos) return readSymbol(t, 1);
    std::size_t length = 1; // of the character, in UTF-8
    while (length < 4 && (static_cast<unsigned char>(peek(length)) & 0xc0) == 0x80) ++length;
    diag.error(t.location, fmt::format("unexpected character '{0}'{1}", text.substr(at, length), meant(text.substr(at, length))));
    while (at < text.size() && text[at] == c) at += length; // a run of them is one mistake
    at = std::min(at, text.size());
    return false;
  }

  bool readSymbol(Token &t, std::size_t length) {
    t.kind = Token::Kind::Symbol;
    t.text = text.substr(at, length);
    at += length;
    return true;
  }

  bool readIdentifier(Token &t) {
    const std::size_t begin = at;
    while (identifierPart(peek()) ||
           (options.dottedIdentifiers && peek() == '.' && identifierPart(peek(1))))
      ++at;
    t.kind = Token::Kind::Identifier;
    t.text = text.substr(begin, at - begin);
    return true;
  }

  bool readNumber(Token &t) {
    const std::size_t begin = at;
    t.isInteger = true;
    while (digit(peek())) ++at;
    if (peek() == '.' && peek(1) != '.') { // "0..6" is a range
      t.isInteger = false;
      ++at;
      while (digit(peek())) ++at;
    }
    const bool sign = peek(1) == '+' || peek(1) == '-';
    if ((peek() == 'e' || peek() == 'E') && (digit(peek(1)) || (sign && digit(peek(2))))) {
      t.isInteger = false;
      at += sign ? 2 : 1;
      while (digit(peek())) ++at;
    }
    t.kind = Token::Kind::Number;
    t.text = text.substr(begin, at - begin);
    t.number = std::strtod(t.text.c_str(), nullptr);
    if (std::isinf(t.number)) diag.error(t.location, fmt::format("the number {} is too large", t.text));
    if (identifierStart(peek())) {
      diag.error(here(), fmt::format("unexpected '{}' after the number {}", peek(), t.text));
      while (identifierPart(peek())) ++at;
    }
    return true;
  }

  bool readString(Token &t) {
    t.kind = Token::Kind::String;
    for (++at; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at) {
      if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] != '\n') ++at;
      t.text += text[at];
    }
    if (peek() != '"') {
      diag.error(t.location, "this string is not closed on its line");
      return true;
    }
    ++at;
    return true;
  }

  const std::string &text;
  std::shared_ptr<const std::string> file;
  Diagnostics &diag;
  LexerOptions options;
  std::vector<Token> tokens;
  std::size_t at = 0, lineBegin = 0;
  int line = 1;
  bool lineStart = true, blank = true;
};

std::string describe(const Token &t) {
  switch (t.kind) {
  case Token::Kind::End: return "the end of the file";
  case Token::Kind::String: return fmt::format("\"{}\"", t.text);
  default: return fmt::format("'{}'", t.text);
  }
}

} // namespace

std::vector<Token> tokenize(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &diag,
                            LexerOptions options) {
  return Lexer(text, std::move(file), diag, options).run();
}

TokenStream::TokenStream(std::vector<Token> t, Diagnostics &diagnostics) : tokens(std::move(t)), diag(diagnostics) {
  for (const Diagnostics::Entry &e : diag.entries())
    if (e.kind == Diagnostics::Kind::Error && e.location.file == tokens.back().location.file)
      unreadableLines.insert(e.location.line);
}

const Token &TokenStream::peek(int ahead) const {
  return tokens[std::min(position + static_cast<std::size_t>(ahead), tokens.size() - 1)];
}

Token TokenStream::next() {
  const Token t = peek();
  if (position + 1 < tokens.size()) ++position;
  return t;
}

std::string TokenStream::textSince(std::size_t mark) const {
  std::string text;
  for (std::size_t i = mark; i < position; ++i) {
    const Token &t = tokens[i];
    if (i > mark && t.spaceBefore) text += ' ';
    text += t.kind == Token::Kind::String ? fmt::format("\"{}\"", t.text) : t.text;
  }
  return text;
}

bool TokenStream::at(std::string_view text) const {
  const Token &t = peek();
  return (t.kind == Token::Kind::Identifier || t.kind == Token::Kind::Symbol) && t.text == text;
}

bool TokenStream::accept(std::string_view text) {
  if (!at(text)) return false;
  next();
  return true;
}

bool TokenStream::unreadable(int from, int to) const {
  const auto it = unreadableLines.lower_bound(from);
  return it != unreadableLines.end() && *it <= to;
}

std::string TokenStream::found() const { return describe(peek()); }

void TokenStream::error(const Location &at, std::string message) {
  if (!inError && !unreadable(tokens[start].location.line, at.line)) diag.error(at, std::move(message));
  inError = true;
}

void TokenStream::errorUnknown(const Token &name, std::string message) {
  if (!inError && excused.firstMention(name.text)) error(name.location, std::move(message));
  inError = true;
}

void TokenStream::errorExpected(std::string_view what) {
  if (!peek().firstOnLine || position <= start || what == "'}'")
    return error(fmt::format("expected {}, found {}", what, found()));
  const Token &last = tokens[position - 1];
  Location behind = last.location;
  behind.column += static_cast<int>(last.text.size()) + (last.kind == Token::Kind::String ? 2 : 0);
  error(behind, fmt::format("expected {}, found the end of the {}", what, atEnd() ? "file" : "line"));
}

void TokenStream::recover() {
  const std::size_t stop = position;
  if (position == start) next();
  while (!atEnd() && !peek().firstOnLine) {
    if (next().text != "{") continue;
    for (int depth = 1; depth > 0 && !atEnd();) {
      const std::string text = next().text;
      depth += text == "{" ? 1 : text == "}" ? -1 : 0;
    }
  }
  std::size_t end = start + 1;
  while (end < position && (end < stop || !tokens[end].firstOnLine)) ++end;
  excuseNames(end);
  resume();
}

void TokenStream::openBlock() {
  if (!inError && expect("{")) return;
  while (!atEnd() && !peek().firstOnLine && !at("}") && !accept("{")) next();
  excuseNames(position);
  resume();
}

/// Of the statement's tokens up to `end`.
void TokenStream::excuseNames(std::size_t end) {
  for (std::size_t i = start; i < end; ++i)
    if (tokens[i].kind == Token::Kind::Identifier) excused.add(tokens[i].text);
}

bool TokenStream::expect(std::string_view text) {
  if (accept(text)) return true;
  errorExpected(fmt::format("'{}'", text));
  return false;
}

std::string TokenStream::expectIdentifier(std::string_view what) {
  if (peek().kind == Token::Kind::Identifier) return next().text;
  errorExpected(what);
  return {};
}

std::int64_t TokenStream::expectInteger(std::string_view what) {
  const bool negative = accept("-");
  if (peek().kind == Token::Kind::Number && peek().isInteger && peek().number < 9e18) {
    const std::int64_t v = std::strtoll(next().text.c_str(), nullptr, 10);
    return negative ? -v : v;
  }
  errorExpected(what);
  return 0;
}

double TokenStream::expectNumber(std::string_view what) {
  const bool negative = accept("-");
  const double sign = negative ? -1 : 1;
  if (peek().kind == Token::Kind::Number) return sign * next().number;
  if (accept("inf")) return sign * std::numeric_limits<double>::infinity();
  if (accept("nan")) return std::copysign(std::numeric_limits<double>::quiet_NaN(), sign);
  errorExpected(what);
  return 0;
}

std::string TokenStream::expectString(std::string_view what) {
  if (peek().kind == Token::Kind::String) return next().text;
  errorExpected(what);
  return {};
}

} // namespace netc
