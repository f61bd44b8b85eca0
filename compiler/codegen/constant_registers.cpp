#include "compiler/codegen/constant_registers.h"

#include <algorithm>

namespace netc::codegen {

using namespace loop;

ConstantRegisters::ConstantRegisters(const Entry &entry, const Kernel &kernel)
    : entry(entry), slots(kernel), changing(slots.count(), false) {
  std::vector<bool> before;
  do {
    before = changing;
    walk(kernel.body);
  } while (changing != before);
}

bool ConstantRegisters::isFoldable(const Compute &c) const {
  return c.op && row(*c.op).signature == Signature::Real && areConstant(c.args);
}

bool ConstantRegisters::isConstant(const Operand &o) const {
  return o.kind == Operand::Kind::Constant ||
         (o.kind == Operand::Kind::Register && !changing[slots.at(o.reg)]);
}

bool ConstantRegisters::areConstant(const std::vector<Operand> &args) const {
  return std::all_of(args.begin(), args.end(), [&](const Operand &o) { return isConstant(o); });
}

/// Marks what is assigned something else than constants. Lane numbers and masks are integers and do not underflow.
void ConstantRegisters::walk(const Block &block) {
  for (const StatementPtr &s : block) {
    if (auto *c = std::get_if<Compute>(&s->node)) {
      if (!areConstant(c->args)) changing[slots.at(c->dst)] = true;
    } else if (auto *l = std::get_if<Load>(&s->node)) {
      if (entry.buffers[l->buffer].space != Space::Constant) changing[slots.at(l->dst)] = true;
    } else if (auto *r = std::get_if<Reduce>(&s->node)) {
      if (!isConstant(r->src)) changing[slots.at(r->dst)] = true;
    } else if (auto *f = std::get_if<For>(&s->node)) {
      walk(f->body);
    } else if (auto *i = std::get_if<If>(&s->node)) {
      walk(i->body);
    }
  }
}

} // namespace netc::codegen
