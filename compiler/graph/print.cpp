// The printer of .graph text (grammar in graph.h).
#include "compiler/graph/expression_text.h"
#include "compiler/graph/text.h"

#include <fmt/format.h>

namespace netc::graph {

namespace {

std::string join(const std::vector<std::string> &parts) {
  std::string text;
  for (const std::string &p : parts)
    text += (text.empty() ? "" : ", ") + p;
  return text;
}

std::string quoted(const std::string &s) {
  std::string text = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\')
      text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text + "\"";
}

std::string extent(const Extent &e) { return e.batch ? "N" : std::to_string(e.size); }

std::string classes(const Tensor &t) {
  if (t.classNames.empty())
    return t.classes > 0 ? fmt::format(" class {}", t.classes) : "";
  std::vector<std::string> names;
  for (const std::string &c : t.classNames)
    names.push_back(quoted(c));
  return " class " + join(names);
}

std::string declaration(const Graph &g, const Tensor &t) {
  switch (t.kind) {
  case TensorKind::Input: return "input " + str(t) + (t.data.empty() ? "" : " data " + quoted(t.data));
  case TensorKind::Target: return "target " + str(t) + classes(t);
  case TensorKind::Param: return "param " + str(t) + " ~ " + str(t.init);
  case TensorKind::State: return "state " + str(t) + " ~ " + str(t.init);
  case TensorKind::Constant: {
    std::vector<std::string> values;
    for (double v : t.values)
      values.push_back(numberText(v));
    return fmt::format("constant {} = {{{}}}", str(t), join(values));
  }
  case TensorKind::Gradient: return fmt::format("gradient {} of {}", str(t), t.of < 0 ? "?" : g.tensors[t.of].name);
  case TensorKind::Local: return str(t);
  }
  return {};
}

/// Calls that stand in several places get a name, in the order of their nodes: "t1", "t2".
std::vector<std::string> letNames(const Body &b) {
  std::vector<int> uses(b.nodes.size(), 0);
  std::vector<char> reached(b.nodes.size(), 0);
  reached[b.root] = 1;
  for (int n = b.root; n >= 0; --n)
    if (reached[n])
      for (int a : b.nodes[n].args)
        ++uses[a], reached[a] = 1;
  std::vector<std::string> names(b.nodes.size());
  int made = 0;
  for (std::size_t n = 0; n < b.nodes.size(); ++n)
    if (uses[n] > 1 && b.nodes[n].kind == Node::Kind::Call)
      names[n] = fmt::format("t{}", ++made);
  return names;
}

std::string_view assignment(Combine op) {
  switch (op) {
  case Combine::Assign: return "=";
  case Combine::Sum: return "+=";
  case Combine::Prod: return "*=";
  case Combine::Max: return "max=";
  case Combine::Min: return "min=";
  case Combine::ArgMax: return "argmax=";
  case Combine::ArgMin: return "argmin=";
  }
  return "?";
}

std::string clauseText(const Graph &g, const Clause &c, Combine op) {
  std::string text;
  const std::vector<std::string> names = letNames(c.body);
  for (std::size_t n = 0; n < names.size(); ++n)
    if (!names[n].empty())
      text += fmt::format("    let {} = {}\n", names[n], expressionText(g, c, static_cast<int>(n), names));
  std::vector<std::string> out, domain, guards;
  for (const Affine &a : c.out)
    out.push_back(str(c, a));
  for (const Index &i : c.domain)
    domain.push_back(i.name + " < " + extent(i.extent));
  for (const Affine &a : c.guards)
    guards.push_back(str(c, a) + " >= 0");
  const std::string root = names[c.body.root].empty() ? expressionText(g, c, c.body.root, names) : names[c.body.root];
  text += fmt::format("    [{}] {} {}\n", join(out), assignment(op), root);
  text += fmt::format("      over {}\n", domain.empty() ? "()" : join(domain));
  if (!guards.empty())
    text += fmt::format("      where {}\n", join(guards));
  return text;
}

/// A place in a .graph text is where the formula stands already: only places in other files are kept.
bool printsLocation(const Location &at) { return at.known() && !at.file->ends_with(".graph"); }

std::string_view resultWord(Result::Kind k) {
  switch (k) {
  case Result::Kind::Output: return "output";
  case Result::Kind::Loss: return "loss";
  case Result::Kind::Metric: return "metric";
  }
  return "?";
}

std::string entryText(const Graph &g) {
  std::string text = fmt::format("entry {}", g.name);
  if (g.every)
    text += g.every == everyEpoch ? " every epoch" : fmt::format(" every {}", g.every);
  text += " {\n";
  if (!g.plan.empty())
    text += fmt::format("  plan {}\n", quoted(g.plan));
  for (const RuntimeScalar &s : g.scalars)
    text += fmt::format("  scalar {} = {}\n", s.name, str(s.program));
  for (const Tensor &t : g.tensors)
    if (t.kind == TensorKind::Gradient)
      text += "  " + declaration(g, t) + "\n";
  for (const Formula &f : g.formulas)
    text += print(g, f);
  for (const Result &r : g.results)
    text += fmt::format("  {} {} = {}\n", resultWord(r.kind), r.name, g.tensors[r.tensor].name);
  for (const Next &n : g.next)
    text += fmt::format("  next {} = {}\n", g.tensors[n.state].name, g.tensors[n.value].name);
  return text + "}\n";
}

} // namespace

std::string str(const Initializer &i) {
  switch (i.kind) {
  case Initializer::Kind::Constant: return fmt::format("constant({})", numberText(i.a));
  case Initializer::Kind::Uniform: return fmt::format("uniform({}, {})", numberText(i.a), numberText(i.b));
  case Initializer::Kind::Normal: return fmt::format("normal({}, {})", numberText(i.a), numberText(i.b));
  }
  return {};
}

std::string str(const Tensor &t) {
  std::vector<std::string> extents;
  for (const Extent &e : t.shape)
    extents.push_back(extent(e));
  return fmt::format("{}: {}[{}]", t.name, name(t.dtype), join(extents));
}

std::string print(const Graph &g, const Formula &f) {
  std::string text = fmt::format("  {} {}", name(f.op), str(g.tensors[f.target]));
  if (f.accumulator != DType::F32)
    text += fmt::format(" accumulator {}", name(f.accumulator));
  if (f.otherwise)
    text += " otherwise " + numberText(*f.otherwise);
  if (printsLocation(f.location))
    text += fmt::format(" at {}:{}:{}", quoted(*f.location.file), f.location.line, f.location.column);
  if (!f.origin.empty())
    text += " origin " + quoted(f.origin);
  text += " {\n";
  for (const Clause &c : f.clauses)
    text += clauseText(g, c, f.op);
  return text + "  }\n";
}

std::string print(const Module &m) {
  std::string text = fmt::format("module {} batch {}{}\n", m.name, m.batch, m.winograd4 ? " winograd4" : "");
  if (!m.entries.empty()) {
    const Graph &first = m.entries.front();
    if (first.sharedCount() > 0)
      text += "\n";
    for (int t = 0; t < first.sharedCount(); ++t)
      text += declaration(first, first.tensors[t]) + "\n";
  }
  for (const Graph &g : m.entries)
    text += "\n" + entryText(g);
  return text;
}

} // namespace netc::graph
