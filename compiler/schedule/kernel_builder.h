// Builds one kernel of the loop IR, statement by statement.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/loop/loop.h"

#include <functional>
#include <set>

namespace netc::schedule {

class KernelBuilder {
 public:
  explicit KernelBuilder(std::string name);

  loop::Kernel kernel;

  int variable(const std::string &name);
  /// A register of its own; `name` is made unique.
  loop::RegisterRef reg(const std::string &name, DType, std::vector<std::int64_t> dims = {});

  template <class Node> void add(Node n) { blocks.back().push_back(loop::make(std::move(n))); }
  void loop(const std::string &name, Affine lower, Affine upper, std::int64_t step, bool unroll,
            const std::function<void(int var)> &body) {
    loop(name, std::vector<Affine>{std::move(lower)}, std::vector<Affine>{std::move(upper)}, step, unroll, body);
  }
  /// From the largest of `lower` to before the smallest of `upper`.
  void loop(const std::string &name, std::vector<Affine> lower, std::vector<Affine> upper, std::int64_t step,
            bool unroll, const std::function<void(int var)> &body);
  void when(std::vector<Affine> conditions, const std::function<void()> &body);
  /// A counted loop that disappears when it runs once.
  void unrolled(const std::string &name, std::int64_t extent, const std::function<void(Affine)> &body);

  loop::Operand compute(const std::string &name, DType, Fn, std::vector<loop::Operand> args);
  /// A function of the table, expanded into primitives.
  loop::Operand call(Fn, DType, const std::vector<loop::Operand> &args);

  loop::Kernel finish();

  static loop::Operand constant(double value, DType type = DType::F32);
  static loop::Operand of(loop::RegisterRef r);

 private:
  std::vector<loop::Block> blocks;
  std::set<std::string> names;
  std::vector<std::string> open; // the names of the loops around
};

/// The number of primitives that a call of the function becomes.
std::int64_t primitivesOf(Fn);

} // namespace netc::schedule
