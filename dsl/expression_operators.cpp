// Expressions with operators, from the loosest to the tightest.
#include "dsl/expression_parser.h"

#include <fmt/format.h>

namespace netc::dsl {

ExprPtr ExpressionParser::binaryNode(const Token &op, ExprPtr a, ExprPtr b) {
  Expr e;
  e.kind = Expr::Kind::Binary;
  e.location = op.location;
  e.text = op.text;
  e.args.push_back({"", a->location, std::move(a)});
  e.args.push_back({"", b->location, std::move(b)});
  return make(std::move(e));
}

ExprPtr ExpressionParser::disjunction() {
  ExprPtr e = conjunction();
  while (in.at("or")) {
    const Token op = in.next();
    e = binaryNode(op, std::move(e), conjunction());
  }
  return e;
}

ExprPtr ExpressionParser::conjunction() {
  ExprPtr e = negation();
  while (in.at("and")) {
    const Token op = in.next();
    e = binaryNode(op, std::move(e), negation());
  }
  return e;
}

ExprPtr ExpressionParser::negation() {
  if (!in.at("not")) return comparison();
  Nested guard(nesting);
  if (nesting > deepest) fail(in.peek().location, "too many 'not' in a row");
  Expr e;
  e.kind = Expr::Kind::Unary;
  e.location = in.peek().location;
  e.text = in.next().text;
  ExprPtr a = negation();
  e.args.push_back({"", a->location, std::move(a)});
  return make(std::move(e));
}

ExprPtr ExpressionParser::comparison() {
  const auto atComparison = [&] {
    return in.at("==") || in.at("!=") || in.at("<") || in.at("<=") || in.at(">") || in.at(">=");
  };
  ExprPtr e = sum();
  if (!atComparison()) return e;
  const Token op = in.next();
  e = binaryNode(op, std::move(e), sum());
  if (atComparison()) fail(in.peek().location, "comparisons do not chain: join two with 'and'");
  return e;
}

ExprPtr ExpressionParser::sum() {
  ExprPtr e = product();
  while (in.at("+") || in.at("-")) {
    const Token op = in.next();
    e = binaryNode(op, std::move(e), product());
  }
  return e;
}

ExprPtr ExpressionParser::product() {
  ExprPtr e = unary();
  while (in.at("*") || in.at("/")) {
    const Token op = in.next();
    e = binaryNode(op, std::move(e), unary());
  }
  return e;
}

ExprPtr ExpressionParser::unary() {
  if (!in.at("-")) return power();
  Nested guard(nesting);
  if (nesting > deepest) fail(in.peek().location, "too many signs in a row");
  Expr e;
  e.kind = Expr::Kind::Unary;
  e.location = in.peek().location;
  e.text = in.next().text;
  ExprPtr a = unary();
  e.args.push_back({"", a->location, std::move(a)});
  return make(std::move(e));
}

ExprPtr ExpressionParser::power() {
  ExprPtr e = postfix();
  if (!in.at("^")) return e;
  const Token op = in.next();
  Nested guard(nesting);
  if (nesting > deepest) fail(op.location, "too many powers in a row");
  return binaryNode(op, std::move(e), unary()); // to the right: a^b^c is a^(b^c)
}

} // namespace netc::dsl
