#include "compiler/support/lexer.h"

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

class Lexer {
public:
  Lexer(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &diag, LexerOptions options)
      : text(text), file(std::move(file)), diag(diag), options(options) {}

  std::vector<Token> run() {
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
    diag.error(t.location, std::isprint(static_cast<unsigned char>(c))
                               ? fmt::format("unexpected character '{}'", c)
                               : fmt::format("unexpected byte 0x{:02x}", static_cast<unsigned char>(c)));
    // A run of such bytes (a binary file, say) is one mistake.
    while (at < text.size() && (peek() == c || !std::isprint(static_cast<unsigned char>(peek()))) && peek() != '\n') ++at;
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

bool TokenStream::expect(std::string_view text) {
  if (accept(text)) return true;
  error(fmt::format("expected '{}', found {}", text, describe(peek())));
  return false;
}

std::string TokenStream::expectIdentifier(std::string_view what) {
  if (peek().kind == Token::Kind::Identifier) return next().text;
  error(fmt::format("expected {}, found {}", what, describe(peek())));
  return {};
}

std::int64_t TokenStream::expectInteger(std::string_view what) {
  const bool negative = accept("-");
  if (peek().kind == Token::Kind::Number && peek().isInteger && peek().number < 9e18) {
    const std::int64_t v = std::strtoll(next().text.c_str(), nullptr, 10);
    return negative ? -v : v;
  }
  error(fmt::format("expected {}, found {}", what, describe(peek())));
  return 0;
}

double TokenStream::expectNumber(std::string_view what) {
  const bool negative = accept("-");
  const double sign = negative ? -1 : 1;
  if (peek().kind == Token::Kind::Number) return sign * next().number;
  if (accept("inf")) return sign * std::numeric_limits<double>::infinity();
  if (accept("nan")) return std::copysign(std::numeric_limits<double>::quiet_NaN(), sign);
  error(fmt::format("expected {}, found {}", what, describe(peek())));
  return 0;
}

std::string TokenStream::expectString(std::string_view what) {
  if (peek().kind == Token::Kind::String) return next().text;
  error(fmt::format("expected {}, found {}", what, describe(peek())));
  return {};
}

} // namespace netc
