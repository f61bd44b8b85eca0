// The part of the parser that reads statements and their blocks, and finds the next one after a mistake.
#pragma once

#include "dsl/expression_parser.h"

namespace netc::dsl {

/// Unwinds to the declarations: a block ends without its brace; the message has been reported.
struct OpenBlock {};

class StatementParser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

 protected:
  /// Reads one statement or declaration; after a mistake in it the next one is found.
  template <class F> void guarded(F parse) {
    brackets = 0;
    opened.clear();
    const Location start = begin = in.peek().location;
    const int outer = blocks, outerConditions = conditions;
    try {
      parse();
      if (in.unreadable(start.line, in.peek(-1).location.line)) skipStatement(start.column);
    } catch (const SyntaxError &) {
      brackets = 0;
      blocks = outer;
      conditions = outerConditions;
      const Location stop = in.peek().location;
      if (stop.line == start.line && stop.column == start.column && !in.atEnd()) in.next();
      skipStatement(start.column);
    }
  }

  Statement statement();
  Block block();
  Shape shape();
  void endOfStatement();
  /// `layer f`, `fn g`, ...: of which kind; -1 for all else.
  int declarationAhead() const;

  int blocks = 0, conditions = 0; // that are open
  bool unclosed = false;          // a block was, and that has been reported

 private:
  /// To where the next statement may begin: on a new line that does not go on with this one, as one does that begins
  /// with an operator, with a closing bracket, or further to the right.
  void skipStatement(int column);
  /// What follows the block of an `if` that could not be read.
  void skipElse();
  static bool isInfix(const Token &t);
  /// A declaration with an error in its head takes its block along.
  void skipBlock();
  /// Of blocks within each other only the innermost is reported; and none where an error may have taken the brace along.
  void notClosed(const Location &start, int errorsBefore);
  /// `ouput y`, `for i in ...`: two words that no operator joins are no expression.
  void rejectUnknownWord();
  void named(Statement &s, std::string_view what);
  void definition(Statement &s);
  /// Statements that begin with a word of the language. False: it is none of them.
  bool declaration(Statement &s);
  /// Else `data` is a name like any other.
  bool atDataBlock() const;
  void finish(Statement &s);
  void valueOf(Statement &s);
  void type(Type &t);
  /// head: sgd(lr = 0.1) on head.*, *.bias + adam(0.01), every = 64
  void plan(Statement &s);
  PlanPart planPart();
  bool atEvery(int ahead = 0) const;
  /// A path such as head.* or *.weight, without blanks, or a string.
  Pattern pattern();
  void stored(Statement &s);
  void conditional(Statement &s);
  void requirement(Statement &s);
  /// y[n, o] = ..., y[i + u]: [L] += ...; false when it is no definition.
  bool subscripted(Statement &s);

  bool blockMissing = false; // the error is a '{' that is not there
};

} // namespace netc::dsl
