// Statements in a notation, with the user's names.
#pragma once

#include "compiler/explain/derivation.h"
#include "compiler/explain/notation.h"

#include <set>

namespace netc::explain {

class FormulaWriter {
 public:
  FormulaWriter(const Derivation &, const Notation &);

  std::string statement(const Statement &) const;
  const Name &name(int tensor) const { return names[static_cast<std::size_t>(tensor)]; }

 private:
  struct Scope {
    std::map<int, std::string> names; // of indices
    const Term *root;                 // the whole right side
  };

  void nameTensors();
  std::string indexName(Scope &, int index) const;
  std::string affine(Scope &, const Affine &) const;
  std::string term(Scope &, const Term &, int level) const;
  std::string bare(Scope &, const Term &) const;
  std::string call(Scope &, const Term &) const;
  std::string product(Scope &, const Term &) const;
  std::string sum(Scope &, const Term &) const;
  /// `whole`: a mean is divided by the points of all its indices.
  std::string reduction(Scope &, const Term &, bool whole = false) const;
  double otherPoints(const Term &) const;
  std::string guardText(Scope &, const std::vector<Affine> &) const;
  std::string numberText(double) const;
  bool standsAlone(const Term &body, int index) const;
  int level(const Term &) const;

  const Derivation &d;
  const Notation &notation;
  std::vector<Name> names; // by tensor
  std::set<std::string> taken;
};

} // namespace netc::explain
