#include "compiler/loop/kernel_key.h"

#include "compiler/loop/walk.h"

#include <cstring>

namespace netc::loop {

namespace {

class KeyWriter {
public:
  KeyWriter(const Entry &entry, const Kernel &kernel)
      : entry(entry), variables{key.variables, kernel.variables.size()}, registers{key.registers, kernel.registers.size()},
        buffers{key.buffers, entry.buffers.size()}, scalars{key.scalars, entry.scalars.size()} {
    add(kernel.parallel >= 0);
    if (kernel.parallel >= 0) use(variables, kernel.parallel);
    add(kernel.body);
    for (const int r : key.registers) {
      add(kernel.registers[r].type);
      list(kernel.registers[r].dims, [&](std::int64_t d) { add(d); });
    }
    for (const int b : key.buffers) add(entry.buffers[b]);
    for (const int s : key.scalars) add(typeOf(entry.scalars[s].program));
  }

  KernelKey key;

private:
  /// Things that are numbered in order of first use.
  struct Numbering {
    Numbering(std::vector<int> &used, std::size_t count) : used(used), numbers(count, -1) {}
    std::vector<int> &used;
    std::vector<int> numbers; // -1: not used yet
  };

  template <class Number> void add(Number n) {
    const auto word = static_cast<std::int64_t>(n);
    key.words.append(reinterpret_cast<const char *>(&word), sizeof word);
  }
  void add(double value) {
    std::int64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    add(bits);
  }
  template <class List, class Each> void list(const List &items, Each each) {
    add(items.size());
    for (const auto &item : items) each(item);
  }
  void add(const Affine &a) {
    add(a.constant());
    list(a.terms(), [&](const Affine::Term &t) {
      if (t.first < firstLoopVariable) add(t.first);
      else use(variables, t.first);
      add(t.second);
    });
  }
  void add(const std::vector<Affine> &all) {
    list(all, [&](const Affine &a) { add(a); });
  }
  void add(const std::optional<Affine> &a) {
    add(a.has_value());
    if (a) add(*a);
  }
  void add(const RegisterRef &r) { use(registers, r.reg), add(r.index); }
  void add(const Operand &o) {
    add(o.kind);
    if (o.kind == Operand::Kind::Register) add(o.reg);
    if (o.kind == Operand::Kind::Constant) add(o.type), add(o.value);
    if (o.kind == Operand::Kind::Scalar) use(scalars, o.scalar);
  }
  void add(const Block &block) {
    list(block, [&](const StatementPtr &s) {
      add(s->node.index());
      std::visit([&](const auto &node) { add(node); }, s->node);
    });
  }
  void add(const Compute &c) {
    add(c.dst), add(c.op ? static_cast<int>(*c.op) : -1);
    list(c.args, [&](const Operand &o) { add(o); });
  }
  void add(const Load &l) { add(l.dst), use(buffers, l.buffer), add(l.address), add(l.stride), add(l.active); }
  void add(const Store &s) { use(buffers, s.buffer), add(s.address), add(s.stride), add(s.value), add(s.active); }
  void add(const LaneIndex &i) { add(i.dst), add(i.base), add(i.step); }
  void add(const LaneMask &m) { add(m.dst), add(m.active); }
  void add(const Reduce &r) { add(r.dst), add(r.op), add(r.src); }
  void add(const For &f) { use(variables, f.var), add(f.lower), add(f.upper), add(f.step), add(f.unroll), add(f.body); }
  void add(const If &i) { add(i.conditions), add(i.body); }

  /// The back ends may know which buffers are disjoint, so that is part of the code.
  void add(const Buffer &b) {
    add(b.type), add(b.space);
    list(b.values, [&](double v) { add(v); });
    for (const int other : key.buffers) add(overlaps(b, entry.buffers[other]));
  }

  void use(Numbering &all, int index) {
    int &number = all.numbers[index];
    if (number < 0) {
      number = firstNumber + static_cast<int>(all.used.size());
      all.used.push_back(index);
    }
    add(number);
  }

  static constexpr int firstNumber = firstLoopVariable; // so that no variable looks like a run-time size
  const Entry &entry;
  Numbering variables, registers, buffers, scalars;
};

} // namespace

KernelKey keyOf(const Entry &entry, const Kernel &kernel) { return KeyWriter(entry, kernel).key; }

} // namespace netc::loop
