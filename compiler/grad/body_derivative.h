// The derivative of one scalar body: reverse accumulation through its DAG, symbolically.
#pragma once

#include "compiler/grad/differentiate.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace netc::grad {

/// seed * d(body)/d(read), for one read of the body. The new body stands over the same domain.
struct Partial {
  graph::Node read;
  graph::Body body;
};

struct BodyProblem {
  const graph::Body &body;
  std::function<bool(int tensor)> wants;  // which tensors' reads to differentiate for
  std::function<int(graph::Body &)> seed; // adds d(loss)/d(body's value) and returns its node
  std::optional<graph::Node> ownResult;   // a Read that has the body's value: reused instead of recomputed
  const DerivativeTable &table;
};

/// One Partial for each distinct Read of a wanted tensor on which the body depends smoothly, in order of the
/// body's nodes. A function without derivative is reported through `missing` (function, argument).
std::vector<Partial> differentiateBody(const BodyProblem &,
                                       const std::function<void(Fn, int argument)> &missing);

} // namespace netc::grad
