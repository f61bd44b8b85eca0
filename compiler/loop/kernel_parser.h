// Parses one kernel of a .loops text; parse.cpp does the rest of the file.
#pragma once

#include "compiler/loop/loop.h"
#include "compiler/support/lexer.h"

#include <map>
#include <unordered_map>

namespace netc::loop {

/// The comment lines ("| text") of a file, by line number. The tokenizer sees an empty string in their place.
using CommentLines = std::map<int, std::string>;

/// Skips to the first token of a later line.
void skipLine(TokenStream &);
/// Reports what follows on a line that should end here.
void endOfLine(TokenStream &);

class KernelParser {
public:
  KernelParser(TokenStream &tokens, const Entry &entry, const CommentLines &comments)
      : t(tokens), entry(entry), comments(comments) {}
  /// From after the word `kernel` to the closing brace.
  Kernel parse();

private:
  // kernel_parser.cpp: structure
  bool atRegister() const;
  void parseRegister();
  void parseBody(Block &);
  void parseFor(Block &, bool unroll);
  void parseIf(Block &);
  void openAndParse(Block &);
  bool atOuter() const;
  std::vector<Affine> parseBounds(std::string_view function);
  Affine parseAffine();
  Affine parseTerm();
  int parseVariable();
  int addVariable(const std::string &name);
  // statement_parser.cpp: operations
  void parseStatement(Block &);
  void parseStore(Block &);
  void parseAssignment(Block &);
  Statement parseRight(RegisterRef dst);
  Statement parseLoad(RegisterRef dst);
  Statement parseReduce(RegisterRef dst);
  Statement parseCompute(RegisterRef dst);
  Operand parseOperand();
  Operand parseNumber();
  RegisterRef parseRegisterRef(bool assigned);
  std::optional<Affine> parseActive();
  int parseBuffer();
  std::int64_t parseStride();
  bool onSameLine() const { return !t.peek(1).firstOnLine; }

  TokenStream &t;
  const Entry &entry;
  const CommentLines &comments;
  Kernel k;
  std::vector<std::pair<std::string, int>> scope; // loop variables around the place
  std::unordered_map<std::string, int> registers;
  std::unordered_map<std::string, int> buffers, scalars;
  std::vector<bool> typed; // by register: its type is known
};

} // namespace netc::loop
