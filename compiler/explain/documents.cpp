// The derivation as a whole: a .net file, Markdown, LaTeX, HTML.
#include "compiler/explain/derivation.h"
#include "compiler/explain/explain.h"
#include "compiler/explain/formula_writer.h"
#include "compiler/graph/expression_text.h"
#include "compiler/graph/text.h"

#include <fmt/format.h>

#include <functional>

namespace netc::explain {

namespace {

using graph::Tensor;
using graph::TensorKind;

constexpr std::string_view introduction =
    "L is the loss. The chain rule walks from the loss to the parameters; each step multiplies a gradient that is known with "
    "one derivative.";
constexpr std::string_view chainRuleWords = "The chain rule gives", resultWords = "which simplifies to", forwardWords = "Forward";

std::string initializer(const graph::Initializer &i) {
  const bool isConstant = i.kind == graph::Initializer::Kind::Constant;
  return isConstant && i.a == 0 ? "zeros" : isConstant && i.a == 1 ? "ones" : graph::str(i);
}

std::string shapeText(const Tensor &t) {
  std::string text;
  for (const graph::Extent &e : t.shape) text += (text.empty() ? "" : ", ") + (e.batch ? std::string("N") : std::to_string(e.size));
  return "[" + text + "]";
}

/// Nested lists of a constant's values.
std::string literal(const Tensor &t, std::size_t dimension, std::size_t &next) {
  if (dimension == t.shape.size()) return graph::numberText(t.values[next++]);
  std::string text;
  for (std::int64_t i = 0; i < t.shape[dimension].size; ++i) text += (text.empty() ? "" : ", ") + literal(t, dimension + 1, next);
  return "[" + text + "]";
}

// text

class TextDocument {
 public:
  TextDocument(const std::string &model, const Derivation &derivation)
      : model(model), d(derivation), notation(languageNotation()), write(d, *notation) {}

  std::string run() {
    text = fmt::format("# The gradients of {}, derived by netc explain. Lines with d_x = ... are the gradients of the loss L for x;\n"
                       "# the comments above them are the steps of the chain rule.\nmodel {}_gradients\n\n",
                       model, model);
    declarations();
    text += "\n# forward\n";
    for (const Statement &s : d.forward) text += write.statement(s) + "\n";
    for (const Section &s : d.sections) section(s);
    return text;
  }

 private:
  void declarations() {
    for (std::size_t t = 0; t < d.graph.tensors.size(); ++t) {
      const Tensor &x = d.graph.tensors[t];
      if (!isUsed(static_cast<int>(t))) continue;
      const std::string typed = write.name(static_cast<int>(t)).text + ": ";
      if (x.kind == TensorKind::Input || x.kind == TensorKind::Target)
        text += fmt::format("input {}{}{}\n", typed, netc::name(x.dtype), shapeText(x));
      if (x.kind == TensorKind::Param || x.kind == TensorKind::State)
        text += fmt::format("{} {}{} ~ {}\n", x.kind == TensorKind::Param ? "param" : "state", typed, shapeText(x), initializer(x.init));
      std::size_t next = 0;
      if (x.kind == TensorKind::Constant)
        text += fmt::format("const {} = {}\n", write.name(static_cast<int>(t)).text, literal(x, 0, next));
    }
  }

  bool isUsed(int tensor) const {
    bool used = false;
    auto look = [&](const Statement &s) {
      visit(*s.value, [&](const Term &t) { used |= t.kind == Term::Kind::Read && t.tensor == tensor; });
    };
    for (const Statement &s : d.forward) look(s);
    for (const Section &s : d.sections)
      for (const Step &step : s.steps)
        for (const Statement &r : step.result) look(r);
    return used;
  }

  void section(const Section &s) {
    text += fmt::format("\n# gradient for {}\n", write.name(s.parameter).text);
    for (const Step &step : s.steps) {
      for (const Statement &c : step.chainRule) text += "#   " + write.statement(c) + "\n";
      for (const Statement &r : step.result) text += write.statement(r) + "\n";
    }
    text += fmt::format("output {}\n", write.name(s.gradient).text);
  }

  const std::string &model;
  const Derivation &d;
  std::unique_ptr<Notation> notation;
  FormulaWriter write;
  std::string text;
};

// prose

/// What the three prose formats spell differently.
struct Markup {
  std::string begin, end; // of the document; {0} is the title
  std::string (*heading)(const std::string &);
  std::string (*paragraph)(std::string_view);
  std::string (*formula)(const std::string &, const Anchor &);
};

std::string markdownHeading(const std::string &t) { return "\n## " + t + "\n"; }
std::string markdownParagraph(std::string_view t) { return fmt::format("\n{}\n", t); }
std::string markdownFormula(const std::string &t, const Anchor &) { return "\n$$" + t + "$$\n"; }
std::string escapedTex(const std::string &t) {
  std::string s;
  for (char c : t) s += c == '_' ? std::string("\\_") : std::string(1, c);
  return s;
}
std::string texHeading(const std::string &t) { return "\n\\section*{" + escapedTex(t) + "}\n"; }
std::string texParagraph(std::string_view t) { return fmt::format("\n{}\n", t); }
std::string texFormula(const std::string &t, const Anchor &) { return "\\formula{" + t + "}\n"; }
std::string htmlHeading(const std::string &t) { return "<h2>" + t + "</h2>\n"; }
std::string htmlParagraph(std::string_view t) { return fmt::format("<p>{}</p>\n", t); }
std::string htmlFormula(const std::string &t, const Anchor &a) {
  const std::string line = a.location.known() ? fmt::format("<a href=\"#{}\">{}</a>", lineId(a.location), a.location.line) : "";
  return fmt::format("<div class=\"formula\" id=\"{}\"><div><math display=\"block\">{}</math></div>{}</div>\n", a.id, t, line);
}

const Markup markdown{"# The gradients of {0}\n", "", markdownHeading, markdownParagraph, markdownFormula};
/// A formula that is wider than the page is made smaller.
const Markup tex{"\\documentclass{{article}}\n\\usepackage[margin=2cm]{{geometry}}\n\\usepackage{{amsmath,amssymb,graphicx}}\n"
                 "\\newcommand{{\\formula}}[1]{{\\[\\setbox0=\\hbox{{$\\displaystyle #1$}}\n"
                 "  \\ifdim\\wd0>\\linewidth \\resizebox{{\\linewidth}}{{!}}{{\\box0}}\\else \\box0 \\fi\\]}}\n"
                 "\\setlength{{\\parindent}}{{0pt}}\n\\begin{{document}}\n\\title{{The gradients of {0}}}\n"
                 "\\author{{netc explain}}\\date{{}}\\maketitle\n",
                 "\\end{document}\n", texHeading, texParagraph, texFormula};
const Markup html{"", "", htmlHeading, htmlParagraph, htmlFormula};

/// Where the model says what a tensor is.
Location locationOf(const graph::Graph &g, int tensor) {
  const graph::Formula *formula = g.definition(tensor);
  return formula ? formula->location : g.tensors[static_cast<std::size_t>(tensor)].location;
}

class Prose {
 public:
  Prose(const Derivation &derivation, const Markup &markup, const Notation &notation, std::vector<Anchor> &anchors)
      : d(derivation), m(markup), write(d, notation), anchors(anchors) {}

  std::string run(const std::string &title) {
    text = fmt::format(fmt::runtime(m.begin), title);
    text += m.paragraph(introduction) + m.heading(std::string(forwardWords));
    for (const Statement &s : d.forward) formula(s, false);
    for (const Section &s : d.sections) section(s);
    return text + m.end;
  }

 private:
  void section(const Section &s) {
    text += m.heading("Gradient for " + d.graph.tensors[static_cast<std::size_t>(s.parameter)].name);
    bool announced = false; // the steps of the chain rule that follow each other are one list
    for (const Step &step : s.steps) {
      if (!announced) text += m.paragraph(chainRuleWords);
      for (const Statement &c : step.chainRule) formula(c, true);
      announced = step.result.empty() || written(step.result) == written(step.chainRule);
      if (announced) continue;
      text += m.paragraph(resultWords);
      for (const Statement &r : step.result) formula(r, true);
    }
  }

  std::string written(const std::vector<Statement> &list) const {
    std::string all;
    for (const Statement &s : list) all += write.statement(s) + "\n";
    return all;
  }

  void formula(const Statement &s, bool gradient) {
    const std::string &name = d.graph.tensors[static_cast<std::size_t>(s.tensor)].name;
    anchors.push_back({fmt::format("formula-{}", anchors.size() + 1), name, gradient, locationOf(d.graph, s.tensor)});
    text += m.formula(write.statement(s), anchors.back());
  }

  const Derivation &d;
  const Markup &m;
  const FormulaWriter write;
  std::vector<Anchor> &anchors;
  std::string text;
};

} // namespace

const std::vector<std::string> &formatNames() {
  static const std::vector<std::string> names = {"text", "md", "tex", "html"};
  return names;
}

std::string lineId(const Location &at) {
  return fmt::format("{:x}-{}", std::hash<std::string>()(*at.file) >> 32, at.line); // not the path: a page has thousands of links
}

std::string explain(const std::string &model, const graph::Graph &entry, const graph::Graph *outputs, Format format,
                    Diagnostics &diag, std::vector<Anchor> *anchors) {
  Derivation d;
  std::vector<Anchor> unread;
  if (!anchors) anchors = &unread;
  if (!derive(entry, outputs, d, diag)) return {};
  switch (format) {
  case Format::Text: return TextDocument(model, d).run();
  case Format::Markdown: return Prose(d, markdown, *latexNotation(), *anchors).run(model);
  case Format::Tex: return Prose(d, tex, *latexNotation(), *anchors).run(escapedTex(model));
  case Format::Html: return Prose(d, html, *mathmlNotation(), *anchors).run(model);
  }
  return {};
}

} // namespace netc::explain
