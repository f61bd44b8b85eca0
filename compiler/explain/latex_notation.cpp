#include "compiler/explain/notation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace netc::explain {

namespace {

bool isLetterWithNumber(const std::string &s) {
  return s.size() > 1 && std::isalpha(static_cast<unsigned char>(s[0])) &&
         std::all_of(s.begin() + 1, s.end(), [](char c) { return std::isdigit(static_cast<unsigned char>(c)); });
}

std::string escaped(const std::string &s) {
  std::string text;
  for (char c : s) text += c == '_' ? std::string("\\_") : std::string(1, c);
  return text;
}

class Latex : public Notation {
 public:
  std::string number(const std::string &digits) const override {
    const std::size_t e = digits.find('e');
    if (e == std::string::npos) return digits == "inf" ? "\\infty" : digits;
    return fmt::format("{} \\cdot 10^{{{}}}", digits.substr(0, e), std::stoi(digits.substr(e + 1)));
  }
  std::string word(const std::string &w) const override {
    return w.size() == 1 ? w : isLetterWithNumber(w) ? fmt::format("{}_{{{}}}", w[0], w.substr(1)) : "\\mathit{" + escaped(w) + "}";
  }
  std::string affine(const std::string &a) const override {
    std::string text;
    for (std::size_t i = 0, end; i < a.size(); i = end) {
      for (end = i; end < a.size() && (std::isalnum(static_cast<unsigned char>(a[end])) || a[end] == '_'); ++end) {}
      if (end == i) text += a[end++] == '*' ? "" : a.substr(i, 1);
      else text += std::isdigit(static_cast<unsigned char>(a[i])) ? a.substr(i, end - i) : word(a.substr(i, end - i));
    }
    return text;
  }
  std::string symbol(const std::string &name) const {
    if (isLetterWithNumber(name)) return fmt::format("{}^{{({})}}", name[0], name.substr(1)); // the layer's number
    return name.size() == 1 ? name : "\\mathrm{" + escaped(name) + "}";
  }
  std::string element(const Name &n, const std::vector<std::string> &s) const override {
    const std::string subscripts = s.empty() ? "" : fmt::format("_{{{}}}", fmt::join(s, ","));
    if (n.of.empty()) return symbol(n.text) + subscripts;
    return fmt::format("\\frac{{\\partial L}}{{\\partial {}{}}}", symbol(n.of), subscripts);
  }
  std::string infix(const std::string &a, const std::string &op, const std::string &b) const override {
    const std::string sign = op == "*"     ? "\\,"
                             : op == "=="  ? "="
                             : op == "!="  ? "\\ne"
                             : op == "<="  ? "\\le"
                             : op == "+="  ? "\\mathrel{+}="
                             : op == "and" ? "\\wedge"
                             : op == "or"  ? "\\vee"
                                           : op;
    return a + " " + sign + " " + b;
  }
  std::string prefix(const std::string &op, const std::string &a) const override { return (op == "-" ? "-" : "\\neg ") + a; }
  std::string quotient(const std::string &a, const std::string &b) const override {
    return fmt::format("\\frac{{{}}}{{{}}}", a, b);
  }
  std::string power(const std::string &base, int exponent) const override { return fmt::format("{}^{{{}}}", base, exponent); }
  std::string call(const std::string &f, const std::vector<std::string> &args) const override {
    const std::string inside = fmt::format("{}", fmt::join(args, ", "));
    if (f == "sqrt") return "\\sqrt{" + inside + "}";
    if (f == "abs") return "\\left|" + inside + "\\right|";
    if (f == "floor") return "\\left\\lfloor " + inside + "\\right\\rfloor";
    const std::string name = f == "sigmoid"                                                      ? "\\sigma"
                             : f == "exp" || f == "log" || f == "tanh" || f == "sin" || f == "cos" ? "\\" + f
                                                                                                 : "\\operatorname{" + escaped(f) + "}";
    return name + parentheses(inside);
  }
  std::string where(const std::string &c, const std::string &a, const std::string &b) const override {
    return fmt::format("\\begin{{cases}} {} & \\text{{if }} {} \\\\ {} & \\text{{otherwise}} \\end{{cases}}", a, c, b);
  }
  std::string parentheses(const std::string &a) const override { return "\\left(" + a + "\\right)"; }
  std::string brackets(const std::string &a) const override { return "\\left[" + a + "\\right]"; }
  std::string reduction(const std::string &word, const std::vector<std::string> &binders, const std::string &guard,
                        const std::string &body) const override {
    std::string below = fmt::format("{}", fmt::join(binders, ", "));
    if (!guard.empty()) below = fmt::format("\\substack{{{} \\\\ {}}}", below, guard);
    const std::string sign = word == "sum"    ? "\\sum"
                             : word == "mean" ? "\\frac{1}{N} \\sum"
                             : word == "prod" ? "\\prod"
                             : word == "max"  ? "\\max"
                             : word == "min"  ? "\\min"
                                              : "\\operatorname*{" + word + "}";
    return fmt::format("{}_{{{}}} {}", sign, below, body);
  }
  bool stacks() const override { return true; }
};

} // namespace

std::unique_ptr<Notation> latexNotation() { return std::make_unique<Latex>(); }

} // namespace netc::explain
