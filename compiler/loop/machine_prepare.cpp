#include "compiler/loop/machine.h"
#include "compiler/loop/walk.h"

#include <bit>
#include <cmath>

namespace netc::loop {

Machine::Ready Machine::prepare(const Kernel &k) {
  kernel = &k;
  firstSlot.clear();
  int slot = 0;
  for (const Register &r : kernel->registers) {
    firstSlot.push_back(slot);
    std::int64_t size = 1;
    for (const std::int64_t d : r.dims) size *= d;
    slot += static_cast<int>(size);
  }
  firstSlot.push_back(slot);
  return {kernel, firstSlot, prepare(k.body)};
}

Linear Machine::linear(const Affine &a) const { return {a.constant(), {a.terms().begin(), a.terms().end()}}; }

Place Machine::place(const RegisterRef &r) {
  const std::vector<std::int64_t> &dims = kernel->registers[r.reg].dims;
  Affine slot = 0;
  for (std::size_t d = 0; d < r.index.size() && d < dims.size(); ++d) slot = slot * dims[d] + r.index[d];
  slot += firstSlot[r.reg];
  return {linear(slot), firstSlot[r.reg], firstSlot[r.reg + 1], nullptr, r.reg};
}

Place Machine::place(const Operand &o) {
  if (o.kind == Operand::Kind::Register) return place(o.reg);
  Place p;
  if (o.kind == Operand::Kind::Scalar) {
    p.constant = &scalars[o.scalar];
    return p;
  }
  std::uint32_t bits = 0;
  if (o.type == DType::F32) bits = std::bit_cast<std::uint32_t>(static_cast<float>(o.value));
  else if (o.type == DType::Bool) bits = o.value != 0 ? 1 : 0;
  else bits = static_cast<std::uint32_t>(static_cast<std::int64_t>(o.value));
  constants.push_back(std::make_unique<LaneValues>());
  for (std::uint32_t &lane : constants.back()->bits) lane = bits;
  p.constant = constants.back().get();
  return p;
}

std::vector<Code> Machine::prepare(const Block &block) {
  std::vector<Code> list;
  list.reserve(block.size());
  for (const StatementPtr &s : block) list.push_back(prepare(*s));
  return list;
}

Code Machine::prepare(const Statement &s) {
  Code c;
  c.origin = &s;
  if (const RegisterRef *d = destination(s)) c.dst = place(*d);
  forEachOperand(s, [&](const Operand &o) { c.args.push_back(place(o)); });
  const auto setActive = [&](const std::optional<Affine> &a) {
    c.partial = a.has_value();
    if (a) c.active = linear(*a);
  };
  if (auto *n = std::get_if<Compute>(&s.node)) {
    c.kind = n->op ? Code::Kind::Compute : Code::Kind::Move;
    if (n->op) c.op = *n->op;
    c.integers = !n->args.empty() && operandType(*kernel, n->args[0]) == DType::I32;
  } else if (auto *n = std::get_if<Load>(&s.node)) {
    c.kind = Code::Kind::Load;
    c.buffer = n->buffer, c.address = linear(n->address), c.stride = n->stride;
    setActive(n->active);
  } else if (auto *n = std::get_if<Store>(&s.node)) {
    c.kind = Code::Kind::Store;
    c.buffer = n->buffer, c.address = linear(n->address), c.stride = n->stride;
    setActive(n->active);
  } else if (auto *n = std::get_if<LaneIndex>(&s.node)) {
    c.kind = Code::Kind::LaneIndex;
    c.address = linear(n->base), c.stride = n->step;
  } else if (auto *n = std::get_if<LaneMask>(&s.node)) {
    c.kind = Code::Kind::LaneMask;
    setActive(n->active);
  } else if (auto *n = std::get_if<Reduce>(&s.node)) {
    c.kind = Code::Kind::Reduce;
    c.reduce = n->op;
    c.integers = operandType(*kernel, n->src) == DType::I32;
  } else if (auto *n = std::get_if<For>(&s.node)) {
    c.kind = Code::Kind::For;
    c.var = n->var, c.step = n->step;
    for (const Affine &a : n->lower) c.lower.push_back(linear(a));
    for (const Affine &a : n->upper) c.upper.push_back(linear(a));
    c.body = prepare(n->body);
  } else if (auto *n = std::get_if<If>(&s.node)) {
    c.kind = Code::Kind::If;
    for (const Affine &a : n->conditions) c.lower.push_back(linear(a));
    c.body = prepare(n->body);
  }
  return c;
}

} // namespace netc::loop
