#include "compiler/graph/expression.h"

#include "compiler/graph/expression_text.h"
#include "compiler/graph/text.h"

#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>

namespace netc::graph {

namespace {

constexpr int unary = 5;
constexpr int maxDepth = 500; // of nesting: recursion must end before the stack does
constexpr std::int64_t maxAffine = std::int64_t(1) << 31; // of a coefficient: ranges stay within 64 bits

class ExpressionParser {
public:
  ExpressionParser(TokenStream &in, Body &body, const AtomParser &atom) : in(in), body(body), atom(atom) {}

  int binary(int context = 1) {
    int left = operand();
    while (left >= 0) {
      const std::string symbol = in.peek().kind == Token::Kind::Symbol ? in.peek().text : "";
      const bool swapped = symbol == ">" || symbol == ">=";
      const std::string plain = symbol == ">" ? "<" : symbol == ">=" ? "<=" : symbol;
      const int p = precedence(plain);
      const std::optional<Fn> f = findInfix(plain);
      if (p < context || p == 0 || !f)
        return left;
      const Token op = in.next();
      const int right = binary(p + 1);
      if (right < 0)
        return -1;
      left = swapped ? call(op, *f, {right, left}) : call(op, *f, {left, right});
    }
    return left;
  }

private:
  int operand() {
    if (++depth > maxDepth) {
      in.error(fmt::format("this expression is nested more than {} deep", maxDepth));
      return -1;
    }
    const int n = operandWithin();
    --depth;
    return n;
  }

  int operandWithin() {
    if (in.at("-"))
      return negative();
    if (in.accept("(")) {
      const int inner = binary();
      return inner >= 0 && in.expect(")") ? inner : -1;
    }
    if (in.peek().kind == Token::Kind::Number)
      return body.constant(in.next().number);
    if (in.peek().kind == Token::Kind::Identifier || in.at("@"))
      return named();
    in.errorExpected("an expression");
    return -1;
  }

  int negative() {
    const Token minus = in.next();
    if (in.peek().kind == Token::Kind::Number)
      return body.constant(-in.next().number);
    if (in.accept("inf"))
      return body.constant(-std::numeric_limits<double>::infinity());
    const int inner = binary(unary);
    return inner < 0 ? -1 : call(minus, Fn::Neg, {inner});
  }

  int named() {
    const Token name = in.next();
    if (const int n = atom(in, name); n >= 0)
      return n;
    if (in.failed() || in.diagnostics().hasErrors())
      return -1; // the atom was known, and wrong
    if (in.at("("))
      return function(name);
    if (const std::optional<Fn> f = findFunction(name.text); f && row(*f).arity == 0)
      return call(name, *f, {});
    if (name.text == "inf")
      return body.constant(std::numeric_limits<double>::infinity());
    if (name.text == "nan")
      return body.constant(std::numeric_limits<double>::quiet_NaN());
    if (name.text == "true" || name.text == "false")
      return body.constant(name.text == "true", DType::Bool);
    in.error(name.location, fmt::format("unknown name '{}'", name.text));
    return -1;
  }

  int function(const Token &name) {
    const std::optional<Fn> f = name.text == "where" ? Fn::Select : findFunction(name.text);
    if (!f) {
      std::vector<std::string> known;
      for (const FnRow &r : allFunctions())
        known.emplace_back(r.name);
      in.error(name.location, fmt::format("unknown function '{}'{}", name.text, didYouMean(name.text, known)));
      return -1;
    }
    std::vector<int> args;
    in.expect("(");
    while (!in.at(")")) {
      if (!args.empty() && !in.expect(","))
        return -1;
      args.push_back(binary());
      if (args.back() < 0)
        return -1;
    }
    in.expect(")");
    return call(name, *f, std::move(args));
  }

  /// Body::call, with its complaints about types and arity at a place in the text.
  int call(const Token &at, Fn f, std::vector<int> args) {
    try {
      return body.call(f, std::move(args));
    } catch (const InternalError &e) {
      in.error(at.location, e.what());
      return -1;
    }
  }

  TokenStream &in;
  Body &body;
  const AtomParser &atom;
  int depth = 0;
};

std::int64_t boundedInteger(TokenStream &in, std::string_view what) {
  const Token at = in.peek();
  const std::int64_t v = in.expectInteger(what);
  if (v <= maxAffine && v >= -maxAffine)
    return v;
  in.error(at.location, fmt::format("{} is too large, expected at most {}", v, maxAffine));
  return 0;
}

Affine parseVariable(TokenStream &in, const std::function<int(std::string_view)> &variable) {
  const Token name = in.peek();
  const std::string text = in.expectIdentifier("an index or an integer");
  if (text.empty())
    return {};
  const int v = variable(text);
  if (v < 0) {
    in.error(name.location, fmt::format("unknown index '{}'", text));
    return {};
  }
  return Affine::var(v);
}

Affine parseAffineTerm(TokenStream &in, const std::function<int(std::string_view)> &variable) {
  if (in.peek().kind == Token::Kind::Number) {
    const std::int64_t k = boundedInteger(in, "an integer");
    return in.accept("*") ? parseVariable(in, variable) * k : Affine(k);
  }
  const Affine v = parseVariable(in, variable);
  return in.accept("*") ? v * boundedInteger(in, "an integer coefficient") : v;
}

} // namespace

int parseExpression(TokenStream &in, Body &body, const AtomParser &atom) {
  return ExpressionParser(in, body, atom).binary();
}

Affine parseAffine(TokenStream &in, const std::function<int(std::string_view)> &variable) {
  Affine sum;
  std::int64_t sign = in.accept("-") ? -1 : 1;
  for (;;) {
    sum += parseAffineTerm(in, variable) * sign;
    if (in.accept("+"))
      sign = 1;
    else if (in.accept("-"))
      sign = -1;
    else
      return sum;
  }
}

int parseExpression(std::string_view text, Body &body, const std::function<int(std::string_view)> &known) {
  Diagnostics diag;
  const std::string source(text);
  TokenStream in(tokenize(source, diag.addSource("expression", source), diag), diag);
  std::map<std::string, int, std::less<>> lets;
  const AtomParser atom = [&](TokenStream &stream, const Token &name) {
    if (stream.at("("))
      return -1;
    const auto let = lets.find(name.text);
    return let != lets.end() ? let->second : known(name.text);
  };
  if (in.accept("let"))
    do {
      const std::string local = in.expectIdentifier("a name");
      in.expect("=");
      const int n = parseExpression(in, body, atom);
      if (n < 0)
        break;
      lets[local] = n;
      in.expect(";");
      in.accept("let");
    } while (in.peek().kind == Token::Kind::Identifier && in.peek(1).text == "=");
  const int root = diag.hasErrors() ? -1 : parseExpression(in, body, atom);
  if (!diag.hasErrors() && !in.atEnd())
    in.error(fmt::format("expected the end of the expression, found '{}'", in.peek().text));
  if (diag.hasErrors())
    internalError("in a table's expression: " + diag.str());
  return root;
}

} // namespace netc::graph
