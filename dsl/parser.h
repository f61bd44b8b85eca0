// .net text -> syntax tree.
//
// A statement ends at the end of its line when all brackets are closed and the next line does not begin with
// an infix operator, `|>`, `as` or `else`; `;` ends one too. Precedence, loosest first:
//   |>    or    and    not    == != < <= > >=    + -    * / and reductions    unary -    ^    call, subscript
// A reduction's body is one product: sum(k) a[k]*b[k] + c is (sum(k) a[k]*b[k]) + c.
#pragma once

#include "compiler/support/diagnostics.h"
#include "dsl/ast.h"

namespace netc::dsl {

/// Errors go to diagnostics; the parser goes on at the next statement, so that one run reports several.
SourceFile parse(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &);

/// One expression and nothing after it (the value of --set); null after an error.
ExprPtr parseValue(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &);

/// The steps of a data block, with commas between (the value of --augment).
Block parseSteps(const std::string &text, std::shared_ptr<const std::string> file, Diagnostics &);

bool isReduction(std::string_view word);

} // namespace netc::dsl
