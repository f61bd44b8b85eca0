// MathML Core, which browsers show without a library.
#include "compiler/explain/notation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace netc::explain {

namespace {

std::string escaped(const std::string &s) {
  std::string text;
  for (char c : s) text += c == '<' ? "&lt;" : c == '&' ? "&amp;" : c == '>' ? "&gt;" : std::string(1, c);
  return text;
}
std::string identifier(const std::string &s) { return "<mi>" + escaped(s) + "</mi>"; }
std::string operation(const std::string &s) { return "<mo>" + s + "</mo>"; }

/// Whether the text is one element, so that it needs no row around it: nothing stands behind the end of the first.
bool isSingle(const std::string &s) {
  int depth = 0;
  for (std::size_t at = 0; (at = s.find('<', at)) != std::string::npos; ++at) {
    const std::size_t close = s.find('>', at);
    if (s[at + 1] == '/') --depth;
    else if (s[close - 1] != '/') ++depth;
    if (depth == 0) return close + 1 == s.size();
  }
  return false;
}
std::string grouped(const std::string &s) { return isSingle(s) ? s : "<mrow>" + s + "</mrow>"; }
/// As a part of a row: without a row of its own, unless that keeps its brackets as small as it is.
std::string part(const std::string &s) {
  constexpr std::string_view begin = "<mrow>", end = "</mrow>", bracket = "<mrow><mo>";
  if (!s.starts_with(begin) || s.starts_with(bracket) || !isSingle(s)) return s;
  return s.substr(begin.size(), s.size() - begin.size() - end.size());
}

/// Plain identifiers become one text, which a style makes italic (explain_page.cpp): most of a page is subscripts.
std::string listed(const std::vector<std::string> &parts) {
  constexpr std::string_view begin = "<mi>", end = "</mi>";
  bool plain = parts.size() > 1;
  std::string words, row;
  for (const std::string &p : parts) {
    plain = plain && p.starts_with(begin) && isSingle(p);
    if (plain) words += (words.empty() ? "" : ", ") + p.substr(begin.size(), p.size() - begin.size() - end.size());
    row += (row.empty() ? "" : "<mo>,</mo>") + p;
  }
  return plain ? "<mtext>" + words + "</mtext>" : grouped(row);
}

bool isNumbered(const std::string &name) {
  return name.size() > 1 && std::isalpha(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin() + 1, name.end(), [](char c) { return std::isdigit(static_cast<unsigned char>(c)); });
}

/// W3 with subscripts: the number goes above them.
std::string subscripted(const std::string &name, const std::vector<std::string> &s) {
  if (!isNumbered(name)) return s.empty() ? identifier(name) : fmt::format("<msub>{}{}</msub>", identifier(name), listed(s));
  const std::string letter = identifier(name.substr(0, 1));
  const std::string number = "<mrow><mo>(</mo><mn>" + name.substr(1) + "</mn><mo>)</mo></mrow>";
  if (s.empty()) return fmt::format("<msup>{}{}</msup>", letter, number);
  return fmt::format("<msubsup>{}{}{}</msubsup>", letter, listed(s), number);
}

class MathMl : public Notation {
 public:
  std::string number(const std::string &digits) const override { return "<mn>" + digits + "</mn>"; }
  std::string word(const std::string &w) const override { return identifier(w); }
  std::string affine(const std::string &a) const override {
    std::string text = a;
    std::erase(text, '*');
    return identifier(text);
  }
  std::string element(const Name &n, const std::vector<std::string> &s) const override {
    const std::string place = subscripted(n.of.empty() ? n.text : n.of, s);
    if (n.of.empty()) return place;
    return fmt::format("<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>{}</mrow></mfrac>", place);
  }
  std::string infix(const std::string &a, const std::string &op, const std::string &b) const override {
    if (op == "*") return grouped(part(a) + "<mspace width=\"0.17em\"/>" + part(b));
    const std::string sign = op == "=="    ? "="
                             : op == "!="  ? "≠"
                             : op == "<="  ? "≤"
                             : op == "<"   ? "&lt;"
                             : op == "-"   ? "−"
                             : op == "and" ? "∧"
                             : op == "or"  ? "∨"
                                           : op;
    return grouped(part(a) + operation(sign) + part(b));
  }
  std::string prefix(const std::string &op, const std::string &a) const override {
    return grouped(operation(op == "-" ? "−" : "¬") + a);
  }
  std::string quotient(const std::string &a, const std::string &b) const override {
    return fmt::format("<mfrac>{}{}</mfrac>", grouped(a), grouped(b));
  }
  std::string power(const std::string &base, int exponent) const override {
    return fmt::format("<msup>{}<mn>{}</mn></msup>", grouped(base), exponent);
  }
  std::string call(const std::string &f, const std::vector<std::string> &args) const override {
    if (f == "sqrt") return "<msqrt>" + listed(args) + "</msqrt>";
    return grouped(identifier(f == "sigmoid" ? "\xcf\x83" : f) + parentheses(listed(args)));
  }
  std::string where(const std::string &c, const std::string &a, const std::string &b) const override {
    return fmt::format("<mrow><mo>{{</mo><mtable><mtr><mtd>{}</mtd><mtd><mo>if</mo>{}</mtd></mtr><mtr><mtd>{}</mtd><mtd>"
                       "<mo>otherwise</mo></mtd></mtr></mtable></mrow>",
                       a, c, b);
  }
  std::string parentheses(const std::string &a) const override { return grouped("<mo>(</mo>" + part(a) + "<mo>)</mo>"); }
  std::string brackets(const std::string &a) const override { return grouped("<mo>[</mo>" + part(a) + "<mo>]</mo>"); }
  std::string reduction(const std::string &word, const std::vector<std::string> &binders, const std::string &guard,
                        const std::string &body) const override {
    std::vector<std::string> below = binders;
    if (!guard.empty()) below.push_back(guard);
    const std::string sign = word == "sum" || word == "mean" ? operation("∑") : word == "prod" ? operation("∏") : operation(word);
    const std::string over = word == "mean" ? quotient("<mn>1</mn>", "<mi>N</mi>") : "";
    return grouped(over + fmt::format("<munder>{}{}</munder>", sign, listed(below)) + part(body));
  }
  bool stacks() const override { return true; }
};

} // namespace

std::unique_ptr<Notation> mathmlNotation() { return std::make_unique<MathMl>(); }

} // namespace netc::explain
