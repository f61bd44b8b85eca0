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
std::string grouped(const std::string &s) { return "<mrow>" + s + "</mrow>"; }

std::string listed(const std::vector<std::string> &parts) {
  std::string text;
  for (const std::string &p : parts) text += (text.empty() ? "" : "<mo>,</mo>") + p;
  return grouped(text);
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
  std::string element(const Name &n, const std::vector<std::string> &s) const override {
    const std::string place = subscripted(n.of.empty() ? n.text : n.of, s);
    if (n.of.empty()) return place;
    return fmt::format("<mfrac><mrow><mo>&#x2202;</mo><mi>L</mi></mrow><mrow><mo>&#x2202;</mo>{}</mrow></mfrac>", place);
  }
  std::string infix(const std::string &a, const std::string &op, const std::string &b) const override {
    if (op == "*") return grouped(a + "<mspace width=\"0.17em\"/>" + b);
    const std::string sign = op == "=="    ? "="
                             : op == "!="  ? "&#x2260;"
                             : op == "<="  ? "&#x2264;"
                             : op == "<"   ? "&lt;"
                             : op == "-"   ? "&#x2212;"
                             : op == "and" ? "&#x2227;"
                             : op == "or"  ? "&#x2228;"
                                           : op;
    return grouped(a + operation(sign) + b);
  }
  std::string prefix(const std::string &op, const std::string &a) const override {
    return grouped(operation(op == "-" ? "&#x2212;" : "&#xac;") + a);
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
    return fmt::format("<mrow><mo>{{</mo><mtable><mtr><mtd>{}</mtd><mtd><mtext>if </mtext>{}</mtd></mtr><mtr><mtd>{}</mtd><mtd>"
                       "<mtext>otherwise</mtext></mtd></mtr></mtable></mrow>",
                       a, c, b);
  }
  std::string parentheses(const std::string &a) const override { return grouped("<mo>(</mo>" + a + "<mo>)</mo>"); }
  std::string brackets(const std::string &a) const override { return grouped("<mo>[</mo>" + a + "<mo>]</mo>"); }
  std::string reduction(const std::string &word, const std::vector<std::string> &binders, const std::string &guard,
                        const std::string &body) const override {
    std::vector<std::string> below = binders;
    if (!guard.empty()) below.push_back(guard);
    const std::string sign = word == "sum" || word == "mean" ? operation("&#x2211;") : word == "prod" ? operation("&#x220f;") : operation(word);
    const std::string over = word == "mean" ? quotient("<mn>1</mn>", "<mi>N</mi>") : "";
    return grouped(over + fmt::format("<munder>{}{}</munder>", sign, listed(below)) + body);
  }
  bool stacks() const override { return true; }
};

} // namespace

std::unique_ptr<Notation> mathmlNotation() { return std::make_unique<MathMl>(); }

} // namespace netc::explain
