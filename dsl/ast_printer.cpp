#include "dsl/ast.h"

#include <cctype>
#include <fmt/format.h>

namespace netc::dsl {

std::string_view name(Callable::Kind k) {
  switch (k) {
  case Callable::Kind::Layer:
    return "layer";
  case Callable::Kind::Function:
    return "fn";
  case Callable::Kind::Init:
    return "init";
  case Callable::Kind::Optimizer:
    return "optimizer";
  }
  return "";
}

namespace {

std::string list(const Shape &s) {
  std::string out;
  for (const ExprPtr &e : s)
    out += (out.empty() ? "" : ", ") + print(*e);
  return out;
}

std::string arguments(const Expr &e, std::size_t from) {
  std::string out;
  for (std::size_t i = from; i < e.args.size(); ++i) {
    if (i > from) out += ", ";
    if (!e.args[i].name.empty()) out += e.args[i].name + " = ";
    out += print(*e.args[i].value);
  }
  return out;
}

std::string binders(const Expr &e) {
  std::string out;
  for (const Binder &b : e.binders) {
    out += (out.empty() ? "" : ", ") + b.name;
    if (b.bound) out += " < " + print(*b.bound);
    if (b.pack) out += "...";
  }
  return out;
}

/// " as head", ` as "layer{i + 1}.0"`, or nothing.
std::string label(const Expr &e) {
  if (e.label.empty()) return "";
  const bool plain = e.labelParts.empty() && !std::isdigit(static_cast<unsigned char>(e.label[0]));
  if (plain) return " as " + e.label;
  std::string text;
  auto part = e.labelParts.begin();
  for (const char c : e.label)
    text += c == '{' ? "{" + print(**part++) : std::string(1, c);
  return fmt::format(" as \"{}\"", text);
}

/// |> conv(8, 3) |> relu()
std::string stages(const Expr &call) {
  const Expr &before = call.operand(0);
  return fmt::format("{}|> {}({}){}", before.kind == Expr::Kind::Input ? "" : stages(before) + " ", call.text,
                     arguments(call, 1), label(call));
}

std::string_view name(Statement::Kind k) {
  static constexpr std::string_view names[] = {"model",   "const",  "input",   "target", "output", "loss",
                                               "metric",  "train",  "param",   "state",  "next",   "if",
                                               "require", "repeat", "data", "define", "indexed", "value"};
  return names[static_cast<int>(k)];
}

class TreePrinter {
 public:
  std::string out;

  void block(const Block &b, int depth) {
    for (const Statement &s : b)
      statement(s, depth);
  }

  void callable(const Callable &c) {
    std::string params;
    for (const Parameter &p : c.parameters) {
      params += (params.empty() ? "" : ", ") + p.name;
      if (p.hasShape) params += fmt::format(": [{}]", list(p.shape));
      if (p.fallback) params += " = " + print(*p.fallback);
    }
    line(0, fmt::format("{} {}({})", dsl::name(c.kind), c.name, params));
    if (c.value) line(1, "value " + print(*c.value));
    for (const ExprPtr &d : c.derivatives)
      line(1, "derivative " + print(*d));
    block(c.body, 1);
  }

 private:
  void line(int depth, const std::string &text) { out += std::string(depth * 2, ' ') + text + "\n"; }

  std::string head(const Statement &s) {
    std::string t(name(s.kind));
    if (!s.name.empty()) t += " " + s.name;
    if (s.kind == Statement::Kind::Indexed) t += fmt::format("[{}]", list(s.subscripts));
    if (s.hasShape) t += fmt::format(": [{}]", list(s.shape));
    if (!s.like.empty()) t += ": like " + s.like;
    if (s.kind == Statement::Kind::Input || s.kind == Statement::Kind::Target) t += ": " + type(s.type);
    if (s.accumulates) t += " +=";
    return t;
  }

  std::string type(const Type &t) {
    std::string of = t.name;
    if (t.classes) of += fmt::format("({})", print(*t.classes));
    if (!t.classNames.empty()) {
      std::string names;
      for (const std::string &n : t.classNames)
        names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", n);
      of += fmt::format("({})", names);
    }
    return fmt::format("{}[{}]", of, list(t.shape));
  }

  void statement(const Statement &s, int depth) {
    line(depth, head(s));
    for (const PlanPart &p : s.parts)
      part(p, depth + 1);
    if (s.kind == Statement::Kind::Train && s.value) return line(depth + 1, "every " + print(*s.value));
    if (s.value) tree(*s.value, depth + 1);
    if (s.init) line(depth + 1, "init " + print(*s.init));
    if (s.elseValue) line(depth + 1, "else " + print(*s.elseValue));
    if (!s.message.empty()) line(depth + 1, fmt::format("message \"{}\"", s.message));
    if (s.kind == Statement::Kind::Repeat || s.kind == Statement::Kind::Data) block(s.then, depth + 1);
    if (s.kind != Statement::Kind::If) return;
    line(depth + 1, "then");
    block(s.then, depth + 2);
    if (s.otherwise.empty()) return;
    line(depth + 1, "else");
    block(s.otherwise, depth + 2);
  }

  void part(const PlanPart &p, int depth) {
    tree(*p.optimizer, depth);
    for (const Pattern &on : p.patterns)
      line(depth + 1, fmt::format("on \"{}\"", on.text));
  }

  void tree(const Expr &e, int depth) {
    switch (e.kind) {
    case Expr::Kind::Number:
      return line(depth, fmt::format("number {}", e.number));
    case Expr::Kind::Text:
      return line(depth, fmt::format("text \"{}\"", e.text));
    case Expr::Kind::Name:
      return line(depth, "name " + e.text);
    case Expr::Kind::Subscript:
      return line(depth, "read " + print(e));
    case Expr::Kind::Call:
      line(depth, "call " + e.text + label(e));
      for (const Argument &a : e.args) {
        if (!a.name.empty()) line(depth + 1, a.name + " =");
        tree(*a.value, depth + (a.name.empty() ? 1 : 2));
      }
      return;
    case Expr::Kind::Unary:
      line(depth, "unary " + e.text);
      break;
    case Expr::Kind::Binary:
      line(depth, "binary " + e.text);
      break;
    case Expr::Kind::Reduce:
      line(depth, fmt::format("reduce {}({})", e.text, binders(e)));
      break;
    case Expr::Kind::Bracket:
      line(depth, "bracket");
      break;
    case Expr::Kind::Expand:
      line(depth, "expand");
      break;
    case Expr::Kind::Chain:
      line(depth, "chain");
      break;
    case Expr::Kind::Input:
      return line(depth, "input");
    case Expr::Kind::Locals:
      line(depth, "locals");
      for (const Argument &a : e.args) {
        line(depth + 1, a.name.empty() ? "value" : a.name + " =");
        tree(*a.value, depth + 2);
      }
      return;
    }
    for (const Argument &a : e.args)
      tree(*a.value, depth + 1);
  }
};

} // namespace

const Location &startOf(const Expr &e) {
  if (e.kind == Expr::Kind::Binary || e.kind == Expr::Kind::Subscript ||
      e.kind == Expr::Kind::Expand) return startOf(e.operand(0));
  if (e.kind != Expr::Kind::Call || e.args.empty()) return e.location;
  const Location &first = startOf(e.operand(0)); // what is piped in stands before the name
  const bool piped =
      first.line < e.location.line || (first.line == e.location.line && first.column < e.location.column);
  return piped ? first : e.location;
}

std::string print(const Expr &e) {
  switch (e.kind) {
  case Expr::Kind::Number:
    return fmt::format("{}", e.number);
  case Expr::Kind::Text:
    return fmt::format("\"{}\"", e.text);
  case Expr::Kind::Name:
    return e.text;
  case Expr::Kind::Call:
    return fmt::format("{}({}){}", e.text, arguments(e, 0), label(e));
  case Expr::Kind::Subscript:
    return fmt::format("{}[{}]", print(e.operand(0)), arguments(e, 1));
  case Expr::Kind::Unary:
    return fmt::format("{}{}", e.text == "not" ? "not " : e.text, print(e.operand(0)));
  case Expr::Kind::Binary:
    return fmt::format("({} {} {})", print(e.operand(0)), e.text, print(e.operand(1)));
  case Expr::Kind::Reduce:
    return fmt::format("{}({}) {}", e.text, binders(e), print(e.operand(0)));
  case Expr::Kind::Bracket:
    return fmt::format("[{}]", arguments(e, 0));
  case Expr::Kind::Expand:
    return print(e.operand(0)) + "...";
  case Expr::Kind::Chain:
    return stages(e.operand(0));
  case Expr::Kind::Input:
    return "";
  case Expr::Kind::Locals: {
    std::string text;
    for (const Argument &a : e.args)
      text += (text.empty() ? "" : "; ") + (a.name.empty() ? "" : a.name + " = ") + print(*a.value);
    return fmt::format("{{ {} }}", text);
  }
  }
  return "";
}

std::string print(const SourceFile &f) {
  TreePrinter p;
  for (const Import &i : f.imports)
    p.out += fmt::format("import \"{}\"\n", i.path);
  for (const Callable &c : f.callables)
    p.callable(c);
  p.block(f.statements, 0);
  return p.out;
}

} // namespace netc::dsl
