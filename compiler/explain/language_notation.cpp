// The notation of .net files.
#include "compiler/explain/notation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace netc::explain {

namespace {

class Language : public Notation {
 public:
  std::string number(const std::string &digits) const override { return digits; }
  std::string word(const std::string &w) const override { return w; }
  std::string affine(const std::string &a) const override { return a; }
  std::string element(const Name &n, const std::vector<std::string> &s) const override {
    return s.empty() ? n.text : fmt::format("{}[{}]", n.text, fmt::join(s, ", "));
  }
  std::string infix(const std::string &a, const std::string &op, const std::string &b) const override {
    return a + " " + op + " " + b;
  }
  std::string prefix(const std::string &op, const std::string &a) const override { return op == "-" ? op + a : op + " " + a; }
  std::string quotient(const std::string &a, const std::string &b) const override { return a + " / " + b; }
  std::string power(const std::string &base, int exponent) const override { return fmt::format("{}^{}", base, exponent); }
  std::string call(const std::string &f, const std::vector<std::string> &args) const override {
    return fmt::format("{}({})", f, fmt::join(args, ", "));
  }
  std::string where(const std::string &c, const std::string &a, const std::string &b) const override {
    return fmt::format("where({}, {}, {})", c, a, b);
  }
  std::string parentheses(const std::string &a) const override { return "(" + a + ")"; }
  std::string brackets(const std::string &a) const override { return "[" + a + "]"; }
  std::string reduction(const std::string &word, const std::vector<std::string> &binders, const std::string &guard,
                        const std::string &body) const override {
    const std::string condition = guard.empty() ? "" : "[" + guard + "] * ";
    return fmt::format("{}({}) {}{}", word, fmt::join(binders, ", "), condition, body);
  }
  bool stacks() const override { return false; }
};

} // namespace

std::unique_ptr<Notation> languageNotation() { return std::make_unique<Language>(); }

} // namespace netc::explain
