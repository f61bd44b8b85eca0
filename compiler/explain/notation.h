// How formulas look: the pieces that each output language spells its own way.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace netc::explain {

/// The name of a tensor: "W3", or the gradient of the loss for it.
struct Name {
  std::string text;     // as it is called in the .net file that --format=text writes
  std::string of;       // a gradient: the name of the tensor it belongs to, else empty
};

class Notation {
 public:
  virtual ~Notation() = default;
  virtual std::string number(const std::string &digits) const = 0;
  virtual std::string word(const std::string &) const = 0; // N, step, an index
  virtual std::string affine(const std::string &) const = 0; // of indices, as in the language: 2*i + u - 1
  virtual std::string element(const Name &, const std::vector<std::string> &subscripts) const = 0;
  /// op as in the language: + - * == != < <= and or =
  virtual std::string infix(const std::string &a, const std::string &op, const std::string &b) const = 0;
  virtual std::string prefix(const std::string &op, const std::string &a) const = 0; // - not
  virtual std::string quotient(const std::string &a, const std::string &b) const = 0;
  virtual std::string power(const std::string &base, int exponent) const = 0;
  virtual std::string call(const std::string &function, const std::vector<std::string> &args) const = 0;
  virtual std::string where(const std::string &c, const std::string &a, const std::string &b) const = 0;
  virtual std::string parentheses(const std::string &) const = 0;
  virtual std::string brackets(const std::string &) const = 0;
  /// word: sum mean max ...; each binder is an index or "u < 3"; guard may be empty.
  virtual std::string reduction(const std::string &word, const std::vector<std::string> &binders, const std::string &guard,
                                const std::string &body) const = 0;
  /// Quotients stand in two lines and need no parentheses.
  virtual bool stacks() const = 0;
};

std::unique_ptr<Notation> languageNotation();
std::unique_ptr<Notation> latexNotation();
std::unique_ptr<Notation> mathmlNotation();

} // namespace netc::explain
