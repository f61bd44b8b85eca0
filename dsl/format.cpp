// The rules:
//  - A block is indented by 2. A line that continues a statement keeps its place relative to the statement's first
//    line; one that begins with |> stands under the first |> of the statement or bracket.
//  - One blank around operators, none inside brackets. Around * / ^ the writer chooses: 2*i or 2 * i.
//  - Neighbouring lines that begin with input, target, output, loss, metric or train get their second words aligned.
//  - Wider gaps stay where they align a word with the same word of a neighbouring line.
//  - A comment behind a statement keeps its column, where there is room; those of neighbouring lines are aligned.
//  - At most one blank line, none at the edges of a block.
#include "dsl/format.h"

#include "compiler/support/lexer.h"
#include "dsl/expression_parser.h"
#include "dsl/parser.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace netc::dsl {

namespace {

constexpr int blockIndent = 2, commentGap = 1;

struct Word {
  std::string text; // as written, quotes included
  Token token;
  int oldColumn = 0, newColumn = 0;
  int gap = 0;     // blanks before it, when nothing is aligned
  int partner = 0; // -1, 1: stands under the same word of the line before or after
  bool endsReduction = false;
  bool beginsPattern = false, inPattern = false; // of parameters: `head` begins head.*, the rest goes on
};

struct Line {
  std::vector<Word> words;
  std::string comment;
  int oldIndent = 0, indent = 0, commentColumn = 0;
  bool continues = false;
  bool blank() const { return words.empty() && comment.empty(); }
};

bool isOneOf(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}
bool isSymbol(const Word &w, std::initializer_list<std::string_view> list) {
  return w.token.kind == Token::Kind::Symbol && isOneOf(w.text, list);
}
bool isKeyword(const Word &w, bool first) {
  if (w.token.kind != Token::Kind::Identifier) return false;
  if (isOneOf(w.text, {"and", "or", "not", "if", "else", "as", "like", "derivative"})) return true;
  return first && isOneOf(w.text, {"loss", "require", "output", "metric", "train", "const", "param", "state", "next",
                                   "input", "target", "model"});
}

/// A string is longer in the source: it has quotes and escapes there.
std::size_t writtenLength(std::string_view source, const Token &t) {
  if (t.kind != Token::Kind::String) return t.text.size();
  std::size_t at = 1;
  while (source[at] != '"') at += source[at] == '\\' ? 2 : 1;
  return at + 1;
}

/// The lines of the text, each with its words and its comment.
std::vector<Line> split(const std::string &text, const std::vector<Token> &tokens) {
  std::vector<Line> lines;
  std::size_t next = 0;
  for (std::size_t begin = 0, number = 1; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view source = std::string_view(text).substr(begin, end - begin);
    Line line;
    std::size_t at = 0; // behind the last word
    for (; next + 1 < tokens.size() && tokens[next].location.line == static_cast<int>(number); ++next) {
      const std::size_t from = static_cast<std::size_t>(tokens[next].location.column) - 1;
      const std::size_t length = writtenLength(source.substr(from), tokens[next]);
      Word w;
      w.text = source.substr(from, length);
      w.token = tokens[next];
      w.oldColumn = static_cast<int>(from);
      at = from + length;
      line.words.push_back(std::move(w));
    }
    if (const std::size_t hash = source.find('#', at); hash != std::string_view::npos) {
      line.comment = source.substr(hash);
      line.comment.erase(line.comment.find_last_not_of(" \t\r") + 1);
      line.commentColumn = static_cast<int>(hash);
    }
    line.oldIndent = line.words.empty() ? line.commentColumn : line.words.front().oldColumn;
    lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

/// One blank line at most, none at the edges of the file and of blocks.
void dropBlankLines(std::vector<Line> &lines) {
  std::vector<Line> kept;
  auto opens = [](const Line &l) { return !l.words.empty() && l.words.back().text == "{"; };
  for (Line &l : lines) {
    if (l.blank() && (kept.empty() || kept.back().blank() || opens(kept.back()))) continue;
    if (!l.words.empty() && l.words.front().text == "}")
      while (!kept.empty() && kept.back().blank()) kept.pop_back();
    kept.push_back(std::move(l));
  }
  while (!kept.empty() && kept.back().blank()) kept.pop_back();
  lines = std::move(kept);
}

bool beginsWithInfix(const Line &l) {
  const Word &w = l.words.front();
  if (isSymbol(w, {"|>", "+", "*", "/", "^", "==", "!=", "<", "<=", ">", ">="})) return true;
  return isSymbol(w, {"-"}) || isOneOf(w.text, {"and", "or", "as", "else", "derivative"});
}

/// Which lines continue a statement, and how deep blocks nest.
void indentLines(std::vector<Line> &lines) {
  int depth = 0, brackets = 0, shift = 0, first = 0;
  std::vector<int> outside; // of each open brace: the brackets around it
  for (Line &l : lines) {
    if (l.words.empty()) {
      l.indent = std::max(0, brackets > 0 ? l.oldIndent + shift : depth * blockIndent);
      continue;
    }
    l.continues = brackets > 0 || (beginsWithInfix(l) && l.words.front().text != "}");
    const int closing = l.words.front().text == "}" ? 1 : 0;
    if (l.continues) {
      l.indent = std::max(l.oldIndent + shift, first + blockIndent);
    } else {
      l.indent = first = std::max(0, depth - closing) * blockIndent;
      shift = l.indent - l.oldIndent;
    }
    for (const Word &w : l.words) {
      if (w.token.kind != Token::Kind::Symbol) continue;
      depth += (w.text == "{") - (w.text == "}");
      if (w.text == "{") outside.push_back(std::exchange(brackets, 0));
      if (w.text == "}" && !outside.empty()) brackets = outside.back(), outside.pop_back();
      brackets += isOneOf(w.text, {"(", "["}) - isOneOf(w.text, {")", "]"});
    }
  }
}

/// Marks the brackets that close the indices of a reduction: what follows is its body.
void markReductions(std::vector<Line> &lines) {
  std::vector<bool> open;
  const Word *before = nullptr;
  for (Line &l : lines)
    for (Word &w : l.words) {
      if (isSymbol(w, {"(", "["}))
        open.push_back(w.text == "(" && before && before->token.kind == Token::Kind::Identifier && isReduction(before->text));
      if (isSymbol(w, {")", "]"}) && !open.empty()) {
        w.endsReduction = open.back();
        open.pop_back();
      }
      before = &w;
    }
}

/// What follows `on` in a training plan: paths with stars, which are no products.
void markPatterns(std::vector<Line> &lines) {
  bool train = false, pattern = false;
  for (Line &l : lines)
    for (std::size_t i = 0; i < l.words.size(); ++i) {
      Word &w = l.words[i];
      if (i == 0 && !l.continues) train = w.text == "train", pattern = false;
      const bool path = isSymbol(w, {"*", "."}) || w.token.kind != Token::Kind::Symbol;
      const bool goesOn = !w.token.spaceBefore && i > 0 && !isSymbol(l.words[i - 1], {","});
      w.inPattern = pattern && path && goesOn;
      w.beginsPattern = pattern && path && !goesOn;
      pattern = train && (w.text == "on" || (pattern && (path || w.text == ",")));
    }
}

bool endsOperand(const Word &w, bool first) {
  if (w.endsReduction) return false;
  if (w.token.kind == Token::Kind::Symbol) return isSymbol(w, {")", "]"});
  return !isKeyword(w, first);
}

/// 0 or 1: the blanks between two words of a line. `sign`: the word before is a minus sign, not an operator.
int gapBetween(const Line &l, std::size_t i, bool sign) {
  const Word &a = l.words[i - 1], &b = l.words[i];
  const bool asWritten = b.token.spaceBefore;
  if (b.inPattern || b.beginsPattern) return b.beginsPattern;
  if (isSymbol(b, {",", ")", "]", ";", ":"}) || isSymbol(a, {"(", "["})) return 0;
  if (isSymbol(a, {",", ";", ":", "{", "}", "~", "|>", "=", "+=", "==", "!=", "<", "<=", ">", ">=", "+"})) return 1;
  if (isSymbol(a, {"-"})) return sign ? 0 : 1;
  if (isSymbol(b, {"{", "}", "~", "|>", "=", "+=", "==", "!=", "<", "<=", ">", ">=", "+", "-"})) return 1;
  if (a.endsReduction) return 1;
  if (isSymbol(b, {"(", "["})) return endsOperand(a, i == 1) ? 0 : isKeyword(a, i == 1) ? 1 : asWritten;
  const bool power = isSymbol(a, {"*", "/", "^"}), powerNext = isSymbol(b, {"*", "/", "^"});
  if (power && i >= 2 && endsOperand(l.words[i - 2], i == 2)) return asWritten || a.token.spaceBefore;
  if (powerNext && endsOperand(a, i == 1) && i + 1 < l.words.size()) return asWritten || l.words[i + 1].token.spaceBefore;
  if (b.token.kind != Token::Kind::Symbol && (a.token.kind != Token::Kind::Symbol || isSymbol(a, {")", "]"}))) return 1;
  return asWritten;
}

bool isSign(const Line &l, std::size_t i, const Word *lineBefore) {
  if (!isSymbol(l.words[i], {"-"})) return false;
  if (i > 0) return !endsOperand(l.words[i - 1], i == 1);
  return l.continues && lineBefore && !endsOperand(*lineBefore, false);
}

void spaceWords(std::vector<Line> &lines) {
  const Word *last = nullptr;
  for (Line &l : lines) {
    for (std::size_t i = 1; i < l.words.size(); ++i) l.words[i].gap = gapBetween(l, i, isSign(l, i - 1, last));
    if (!l.words.empty()) last = &l.words.back();
  }
}

/// Second words of neighbouring declarations.
void alignDeclarations(std::vector<Line> &lines) {
  auto declares = [](const Line &l) {
    return l.words.size() > 1 && !l.continues &&
           isOneOf(l.words[0].text, {"input", "target", "output", "loss", "metric", "train"}) &&
           l.words[1].token.kind != Token::Kind::Symbol;
  };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!declares(lines[i])) continue;
    std::size_t end = i, longest = 0;
    for (; end < lines.size() && (declares(lines[end]) || lines[end].continues); ++end)
      if (!lines[end].continues) longest = std::max(longest, lines[end].words[0].text.size());
    for (; i < end; ++i)
      if (!lines[i].continues) lines[i].words[1].gap = static_cast<int>(longest - lines[i].words[0].text.size()) + 1;
  }
}

const Word *wordAt(const Line &l, const Word &like) {
  for (const Word &w : l.words)
    if (w.oldColumn == like.oldColumn && w.text == like.text) return &w;
  return nullptr;
}

/// A gap of several blanks stays if the same word stands in the same column of a neighbouring line.
void findPartners(std::vector<Line> &lines) {
  for (std::size_t n = 0; n < lines.size(); ++n)
    for (std::size_t i = 1; i < lines[n].words.size(); ++i) {
      const Word &before = lines[n].words[i - 1];
      Word &w = lines[n].words[i];
      if (w.gap != 1 || w.oldColumn - before.oldColumn - static_cast<int>(before.text.size()) < 2) continue;
      if (n > 0 && wordAt(lines[n - 1], w)) w.partner = -1;
      else if (n + 1 < lines.size() && wordAt(lines[n + 1], w)) w.partner = 1;
    }
}

void place(std::vector<Line> &lines, std::size_t n) {
  Line &l = lines[n];
  int column = l.indent;
  for (std::size_t i = 0; i < l.words.size(); ++i) {
    Word &w = l.words[i];
    column += w.gap;
    if (w.partner) column = std::max(column, wordAt(lines[n + static_cast<std::size_t>(w.partner)], w)->newColumn);
    w.newColumn = column;
    column += static_cast<int>(w.text.size());
  }
}

/// A line that begins with |> stands under the first |> of its statement, or of the brackets around it.
void placeAll(std::vector<Line> &lines) {
  std::vector<int> pipes{-1}; // the first |>'s column, for each open bracket
  for (std::size_t n = 0; n < lines.size(); ++n) {
    Line &l = lines[n];
    if (l.words.empty()) continue;
    if (l.continues && pipes.back() >= 0 && l.words.front().text == "|>") l.indent = pipes.back();
    place(lines, n);
    if (!l.continues) pipes.back() = -1;
    for (const Word &w : l.words) {
      if (isSymbol(w, {"(", "[", "{"})) pipes.push_back(-1);
      if (isSymbol(w, {")", "]", "}"}) && pipes.size() > 1) pipes.pop_back();
      if (isSymbol(w, {"|>"}) && pipes.back() < 0) pipes.back() = w.newColumn;
    }
  }
}

int lengthOf(const Line &l) {
  return l.words.empty() ? 0 : l.words.back().newColumn + static_cast<int>(l.words.back().text.size());
}

void alignComments(std::vector<Line> &lines) {
  auto trails = [](const Line &l) { return !l.words.empty() && !l.comment.empty(); };
  for (std::size_t i = 0; i < lines.size(); ++i) {
    int column = 0;
    std::size_t end = i;
    for (; end < lines.size() && trails(lines[end]); ++end)
      column = std::max({column, lines[end].commentColumn, lengthOf(lines[end]) + commentGap});
    for (; i < end; ++i) lines[i].commentColumn = column;
  }
}

std::string written(const std::vector<Line> &lines) {
  std::string text;
  for (const Line &l : lines) {
    std::string line;
    auto add = [&](int column, const std::string &part) {
      line.resize(std::max(line.size(), static_cast<std::size_t>(column)), ' ');
      line += part;
    };
    for (const Word &w : l.words) add(w.newColumn, w.text);
    if (!l.comment.empty()) add(l.words.empty() ? l.indent : l.commentColumn, l.comment);
    text += line + "\n";
  }
  return text;
}

bool sameWords(const std::vector<Token> &a, const std::vector<Token> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Token &s, const Token &t) {
    return s.kind == t.kind && s.text == t.text && s.firstOnLine == t.firstOnLine;
  });
}

} // namespace

std::optional<std::string> format(const std::string &text, const std::string &fileName, Diagnostics &diag) {
  const auto file = diag.addSource(fileName, text);
  const std::vector<Token> tokens = tokenize(text, file, diag);
  if (!diag.hasErrors()) parse(text, file, diag);
  if (diag.hasErrors()) return std::nullopt;
  std::vector<Line> lines = split(text, tokens);
  dropBlankLines(lines);
  indentLines(lines);
  markReductions(lines);
  markPatterns(lines);
  spaceWords(lines);
  alignDeclarations(lines);
  findPartners(lines);
  constexpr int rounds = 3; // words aligned with a later line move when that line is placed
  for (int i = 0; i < rounds; ++i) placeAll(lines);
  alignComments(lines);
  std::string result = written(lines);
  Diagnostics own;
  if (!sameWords(tokens, tokenize(result, file, own)) || own.hasErrors()) internalError("fmt changed the words of " + fileName);
  return result;
}

} // namespace netc::dsl
