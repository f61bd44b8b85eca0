// Value numbering: registers hold values, equal expressions of equal values are equal. Registers may be assigned many
// times; a register is used in place of another only as long as it still holds the value.
#include "compiler/loop/dead_registers.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/slots.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace netc::loop {

namespace {

using Value = int;
constexpr Value noValue = -1;

class ValueNumbering {
public:
  ValueNumbering(const Entry &e, const Kernel &k)
      : k(k), slots(k), effects(slots), changed(changedByStore(e, k)), valueOf(slots.count(), noValue),
        nameOf(slots.count()), assignments(k.registers.size(), 0), version(e.buffers.size(), 0) {
    forEachStatement(k.body, [&](const Statement &s) {
      if (const RegisterRef *d = destination(s)) ++assignments[d->reg];
    });
  }

  Block number(const Block &block) {
    Block out;
    out.reserve(block.size());
    for (const StatementPtr &s : block) {
      if (bodyOf(*s)) out.push_back(numberNested(*s));
      else numberSimple(s, out);
    }
    return out;
  }

private:
  StatementPtr numberNested(const Statement &s) {
    const Effects &e = effects(s);
    const bool loop = std::holds_alternative<For>(s.node);
    if (loop) forget(e); // the body meets what an earlier run of it left
    const std::size_t scope = inserted.size();
    Block body = number(*bodyOf(s));
    for (; inserted.size() > scope; inserted.pop_back()) known.erase(inserted.back());
    forget(e);
    return withBody(s, std::move(body));
  }

  void forget(const Effects &e) {
    for (auto &[begin, end] : e.assigned)
      for (int slot = begin; slot < end; ++slot) valueOf[slot] = noValue;
    for (const int b : e.stored) noteStore(b);
  }

  void noteStore(int buffer) {
    for (const int b : changed.at(buffer)) version[b] = ++versions;
  }

  void numberSimple(const StatementPtr &original, Block &out) {
    values.clear();
    bool renamed = false;
    forEachOperand(*original, [&](const Operand &o) {
      values.push_back(valueIn(o));
      renamed |= holderOf(o) != nullptr;
    });
    const StatementPtr s = renamed ? withHolders(*original) : original;
    if (auto *st = std::get_if<Store>(&s->node)) {
      noteStore(st->buffer);
      out.push_back(s);
    } else if (auto *c = std::get_if<Compute>(&s->node); c && !c->op && c->args[0].kind == Operand::Kind::Register) {
      numberMove(s, out);
    } else {
      numberExpression(s, out);
    }
  }

  void numberMove(const StatementPtr &s, Block &out) {
    const RegisterRef &dst = *destination(*s);
    const auto slot = slots.of(dst);
    if (slot && valueOf[*slot] == values[0]) return; // it holds that already
    out.push_back(s);
    assign(dst, values[0]);
  }

  void numberExpression(const StatementPtr &s, Block &out) {
    const RegisterRef &dst = *destination(*s);
    // A constant is as cheap as a move, and one register must not stand for the start values of all accumulators.
    const bool constant = isConstantMove(*s);
    if (constant && (assignments[dst.reg] > 1 || !k.registers[dst.reg].dims.empty())) {
      out.push_back(s);
      return assign(dst, fresh());
    }
    writeKey(*s);
    if (const auto found = known.find(key); found != known.end() && holds(found->second)) {
      const Value value = found->second;
      if (const auto slot = slots.of(dst); slot && valueOf[*slot] == value) return;
      Operand source;
      source.kind = Operand::Kind::Register;
      source.reg = nameOf[holder[value]];
      out.push_back(make(Compute{dst, std::nullopt, {std::move(source)}}));
      return assign(dst, value);
    }
    const Value value = fresh();
    if (known.insert_or_assign(key, value).second) inserted.push_back(key);
    out.push_back(s);
    assign(dst, value);
  }

  static bool isConstantMove(const Statement &s) {
    const auto *c = std::get_if<Compute>(&s.node);
    return c && !c->op && c->args[0].kind != Operand::Kind::Register;
  }

  Value fresh() {
    holder.push_back(-1);
    return static_cast<Value>(holder.size()) - 1;
  }

  bool holds(Value v) const { return holder[v] >= 0 && valueOf[holder[v]] == v; }

  void assign(const RegisterRef &dst, Value v) {
    const auto slot = slots.of(dst);
    if (!slot) {
      const auto [begin, end] = slots.range(dst);
      for (int i = begin; i < end; ++i) valueOf[i] = noValue;
      return;
    }
    valueOf[*slot] = v;
    nameOf[*slot] = dst;
    if (!holds(v)) holder[v] = *slot;
  }

  Value valueIn(const Operand &o) {
    if (o.kind != Operand::Kind::Register) return constantValue(o);
    const auto slot = slots.of(o.reg);
    if (!slot) return fresh();
    Value &v = valueOf[*slot];
    if (v == noValue) {
      v = fresh();
      nameOf[*slot] = o.reg;
    }
    if (!holds(v)) holder[v] = *slot;
    return v;
  }

  /// The register that has held an operand's value longest; null: itself.
  const RegisterRef *holderOf(const Operand &o) const {
    const auto slot = o.kind == Operand::Kind::Register ? slots.of(o.reg) : std::nullopt;
    if (!slot || holder[valueOf[*slot]] == *slot) return nullptr;
    return &nameOf[holder[valueOf[*slot]]];
  }

  StatementPtr withHolders(Statement s) const {
    const auto rename = [&](Operand &o) {
      if (const RegisterRef *r = holderOf(o)) o.reg = *r;
    };
    if (auto *c = std::get_if<Compute>(&s.node)) std::for_each(c->args.begin(), c->args.end(), rename);
    if (auto *r = std::get_if<Reduce>(&s.node)) rename(r->src);
    if (auto *st = std::get_if<Store>(&s.node)) rename(st->value);
    return std::make_shared<const Statement>(std::move(s));
  }

  Value constantValue(const Operand &o) {
    begin(o.kind == Operand::Kind::Scalar ? 's' : 'c');
    add(static_cast<std::int64_t>(o.type));
    add(o.kind == Operand::Kind::Scalar ? o.scalar : std::bit_cast<std::int64_t>(o.value));
    const auto [at, isNew] = constants.try_emplace(key, noValue);
    if (isNew) at->second = fresh();
    return at->second;
  }

  // --- keys: what an expression computes, as bytes ---
  void begin(char kind) { key.assign(1, kind); }
  void add(std::int64_t n) { key.append(reinterpret_cast<const char *>(&n), sizeof n); }
  void add(const Affine &a) {
    add(a.constant());
    for (auto &[v, c] : a.terms()) add(v), add(c);
    add(-1);
  }
  void add(const std::optional<Affine> &a) {
    add(a ? 1 : 0);
    if (a) add(*a);
  }

  void writeKey(const Statement &s) {
    if (auto *c = std::get_if<Compute>(&s.node)) {
      if (c->op && commutes(*c->op) && values[0] > values[1]) std::swap(values[0], values[1]);
      begin('o');
      add(c->op ? static_cast<int>(*c->op) : -1);
      for (const Value v : values) add(v);
    } else if (auto *l = std::get_if<Load>(&s.node)) {
      begin('l');
      add(l->buffer), add(version[l->buffer]), add(l->address), add(l->stride), add(l->active);
    } else if (auto *i = std::get_if<LaneIndex>(&s.node)) {
      begin('i');
      add(i->base), add(i->step);
    } else if (auto *m = std::get_if<LaneMask>(&s.node)) {
      begin('m');
      add(m->active);
    } else if (auto *r = std::get_if<Reduce>(&s.node)) {
      begin('r');
      add(static_cast<int>(r->op)), add(values[0]);
    }
  }

  /// In the first two arguments.
  static bool commutes(Fn f) {
    switch (f) {
    case Fn::Add: case Fn::Mul: case Fn::Fma: case Fn::Eq: case Fn::Ne: case Fn::And: case Fn::Or:
    case Fn::IAdd: case Fn::IMul: case Fn::IAnd: case Fn::IOr: case Fn::IXor: return true;
    default: return false;
    }
  }

  const Kernel &k;
  Slots slots;
  EffectsOf effects;
  std::map<int, std::vector<int>> changed;
  std::vector<Value> valueOf;      // by slot
  std::vector<RegisterRef> nameOf; // by slot
  std::vector<int> holder;         // by value: a slot that held it
  std::vector<int> assignments;    // by register
  std::vector<std::int64_t> version; // by buffer: changes with its content
  std::int64_t versions = 0;
  std::unordered_map<std::string, Value> known; // expressions of this place and the blocks around it
  std::vector<std::string> inserted;            // their keys, in order
  std::unordered_map<std::string, Value> constants;
  std::string key;
  std::vector<Value> values; // of the operands of the statement looked at
};

} // namespace

void cse(const Entry &e, Kernel &k, std::int64_t) {
  k.body = ValueNumbering(e, k).number(k.body);
  dropDeadRegisters(k);
}

} // namespace netc::loop
