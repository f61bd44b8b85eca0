#include "compiler/graph/expression_text.h"

#include "compiler/support/diagnostics.h"

#include <cmath>
#include <fmt/format.h>

namespace netc::graph {

namespace {

constexpr int comparison = 2, unary = 5;

struct ExpressionPrinter {
  const Graph &graph;
  const Clause &clause;
  const std::vector<std::string> &names;

  std::string constant(const Node &n) const {
    switch (n.dtype) {
    case DType::Bool: return n.value != 0 ? "true" : "false";
    case DType::F32: return numberText(n.value);
    case DType::I32:
    case DType::U8: return fmt::format("index({})", numberText(n.value));
    }
    internalError("unknown type");
  }

  std::string read(const Node &n) const {
    std::string text = n.id >= 0 && n.id < static_cast<int>(graph.tensors.size())
                           ? graph.tensors[n.id].name + "["
                           : "?[";
    for (std::size_t d = 0; d < n.map.size(); ++d)
      text += (d ? ", " : "") + str(clause, n.map[d]);
    return text + "]";
  }

  std::string call(const Node &n, int context) const {
    const FnRow &f = row(n.fn);
    if (n.fn == Fn::Neg) {
      const Node &a = clause.body.nodes[n.args[0]];
      bool number = a.kind == Node::Kind::Const && named(n.args[0]).empty();
      return number ? fmt::format("-({})", node(n.args[0], 0)) : "-" + node(n.args[0], unary);
    }
    if (int p = precedence(f.symbol); p > 0 && f.arity == 2 && findInfix(f.symbol) == n.fn) {
      std::string text = fmt::format("{} {} {}", node(n.args[0], p == comparison ? p + 1 : p), f.symbol,
                                     node(n.args[1], p + 1));
      return p < context ? "(" + text + ")" : text;
    }
    std::string text = std::string(f.name) + "(";
    for (std::size_t i = 0; i < n.args.size(); ++i)
      text += (i ? ", " : "") + node(n.args[i], 0);
    return text + ")";
  }

  std::string named(int n) const {
    return n < static_cast<int>(names.size()) ? names[n] : std::string();
  }

  /// `context`: the least precedence that may stand here without parentheses.
  std::string node(int number, int context) const {
    if (std::string let = named(number); !let.empty())
      return let;
    return definition(number, context);
  }

  std::string definition(int number, int context) const {
    const Node &n = clause.body.nodes[number];
    switch (n.kind) {
    case Node::Kind::Const: return constant(n);
    case Node::Kind::Index: return fmt::format("index({})", str(clause, n.affine));
    case Node::Kind::Scalar:
      return n.id >= 0 && n.id < static_cast<int>(graph.scalars.size()) ? "@" + graph.scalars[n.id].name : "@?";
    case Node::Kind::Read: return read(n);
    case Node::Kind::Call: return call(n, context);
    }
    internalError("unknown node");
  }
};

} // namespace

std::string numberText(double v) {
  if (std::isnan(v))
    return "nan";
  return fmt::format("{}", v);
}

int precedence(std::string_view symbol) {
  if (symbol == "&&")
    return 1;
  if (symbol == "<" || symbol == "<=" || symbol == "==" || symbol == "!=")
    return comparison;
  if (symbol == "+" || symbol == "-")
    return 3;
  if (symbol == "*" || symbol == "/")
    return 4;
  return 0;
}

std::optional<Fn> findInfix(std::string_view symbol) {
  for (const FnRow &r : allFunctions())
    if (r.arity == 2 && !symbol.empty() && r.symbol == symbol)
      return r.fn;
  return std::nullopt;
}

std::string expressionText(const Graph &g, const Clause &c, int n, const std::vector<std::string> &names) {
  return ExpressionPrinter{g, c, names}.definition(n, 0);
}

std::string str(const Graph &g, const Clause &c, int node) { return expressionText(g, c, node); }

std::string str(const Clause &c, const Affine &a) {
  return a.str([&](int v) {
    return v >= 0 && v < static_cast<int>(c.domain.size()) ? c.domain[v].name : "?" + std::to_string(v);
  });
}

} // namespace netc::graph
