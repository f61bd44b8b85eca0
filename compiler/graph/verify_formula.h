// The verifier's parts, each of which looks at one formula. The numbers are those of verifier.h.
#pragma once

#include "compiler/graph/graph.h"

namespace netc::graph {

/// What is wrong with a formula: what the checks find first, since the rest likely follows from it.
class Finding {
public:
  /// `tensor` is the one whose declaration may be the mistake as well, if there is one.
  void add(std::string what, int tensor = -1) {
    if (message.empty()) message = std::move(what), doubtful = tensor;
  }
  bool found() const { return !message.empty(); }
  const std::string &text() const { return message; }
  int tensor() const { return doubtful; }

private:
  std::string message;
  int doubtful = -1;
};

/// 4, 5, 10, 11: shapes and types of the clauses. When something is found, the next two must not look at them.
void verifyClauses(const Graph &, const Formula &, Finding &);
/// 6: reads.
void verifyReads(const Graph &, const Formula &, Finding &);
/// 7, 8, 9: writes in range, once, and everywhere.
void verifyWrites(const Graph &, const Formula &, Finding &);

/// "formula of 'y'" or "clause 2 of 'y'" when there are several.
std::string placeName(const Graph &, const Formula &, std::size_t clause);

} // namespace netc::graph
