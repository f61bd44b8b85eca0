#include "compiler/codegen/highway/kernel_uses.h"

#include "compiler/loop/walk.h"

namespace netc::codegen {

using namespace loop;

namespace {

/// The variables in bounds, addresses and conditions. (Register indices are constants: kernels come unrolled.)
class VariableFinder {
public:
  explicit VariableFinder(std::set<int> &variables) : variables(variables) {}

  void operator()(const Compute &) {}
  void operator()(const Reduce &) {}
  void operator()(const Load &l) {
    add(l.address);
    if (l.active) add(*l.active);
  }
  void operator()(const Store &s) {
    add(s.address);
    if (s.active) add(*s.active);
  }
  void operator()(const LaneIndex &i) { add(i.base); }
  void operator()(const LaneMask &m) { add(m.active); }
  void operator()(const For &f) {
    for (const Affine &a : f.lower) add(a);
    for (const Affine &a : f.upper) add(a);
  }
  void operator()(const If &i) {
    for (const Affine &a : i.conditions) add(a);
  }

private:
  void add(const Affine &a) {
    for (auto &[v, k] : a.terms()) variables.insert(v);
  }

  std::set<int> &variables;
};

} // namespace

Uses usesOf(const Kernel &kernel, const Slots &slots) {
  Uses uses{std::vector<int>(slots.count(), 0), std::vector<bool>(slots.count(), false), {}, {}, {}, {}};
  if (kernel.parallel >= 0) uses.variables.insert(kernel.parallel);
  VariableFinder findVariables(uses.variables);
  forEachStatement(kernel.body, [&](const Statement &s) {
    forEachOperand(s, [&](const Operand &o) {
      if (o.kind == Operand::Kind::Register) uses.reads[slots.at(o.reg)] = true;
      if (o.kind == Operand::Kind::Scalar) uses.scalars.insert(o.scalar);
    });
    if (const RegisterRef *d = destination(s)) ++uses.writes[slots.at(*d)];
    if (auto *l = std::get_if<Load>(&s.node)) uses.loaded.insert(l->buffer);
    if (auto *st = std::get_if<Store>(&s.node)) uses.stored.insert(st->buffer);
    std::visit(findVariables, s.node);
  });
  return uses;
}

} // namespace netc::codegen
