// What is known when a program is compiled is computed then: elements of constants, and operations on known values. A
// filter of ones and zeros, unrolled, is left with additions. No bit changes but the sign of a zero that nothing is added to.
#include "compiler/loop/lane_operations.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/slots.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace netc::loop {

namespace {

class ConstantFolder {
 public:
  ConstantFolder(const Entry &e, const Kernel &k) : e(e), slots(k), effects(slots), known(slots.count()) {}

  Block fold(const Block &block) {
    Block out;
    out.reserve(block.size());
    for (const StatementPtr &s : block)
      if (bodyOf(*s))
        out.push_back(foldNested(*s));
      else
        foldSimple(s, out);
    return out;
  }

 private:
  StatementPtr foldNested(const Statement &s) {
    const Effects &changes = effects(s);
    Statement copy = s;
    if (auto *f = std::get_if<For>(&copy.node)) {
      forget(changes); // the body meets what an earlier run of it left
      f->body = fold(f->body);
    } else if (auto *i = std::get_if<If>(&copy.node)) {
      i->body = fold(i->body);
    }
    forget(changes);
    return std::make_shared<const Statement>(std::move(copy));
  }
  void forget(const Effects &changes) {
    for (auto &[begin, end] : changes.assigned)
      std::fill(known.begin() + begin, known.begin() + end, std::nullopt);
  }

  void foldSimple(const StatementPtr &original, Block &out) {
    StatementPtr s = original;
    if (auto *l = std::get_if<Load>(&s->node)) {
      if (auto value = element(*l)) s = make(Compute{l->dst, {}, {*value}}, s->location);
    } else if (auto *c = std::get_if<Compute>(&s->node)) {
      s = folded(*c, s);
    }
    if (const RegisterRef *dst = destination(*s)) {
      const auto *c = std::get_if<Compute>(&s->node);
      if (c && !c->op && c->args[0] == of(*dst)) return;
      assign(*dst, c && !c->op && c->args[0].kind == Operand::Kind::Constant ? std::optional(c->args[0]) : std::nullopt);
    }
    out.push_back(std::move(s));
  }
  static Operand of(const RegisterRef &r) {
    Operand o;
    o.kind = Operand::Kind::Register;
    o.reg = r;
    return o;
  }
  static Operand constant(double value, DType type) {
    Operand o;
    o.type = type;
    o.value = value;
    return o;
  }
  void assign(const RegisterRef &dst, std::optional<Operand> value) {
    const auto [begin, end] = slots.range(dst);
    std::fill(known.begin() + begin, known.begin() + end, std::nullopt);
    if (const auto slot = slots.of(dst)) known[*slot] = std::move(value);
  }

  std::optional<Operand> element(const Load &l) const {
    const Buffer &b = e.buffers[l.buffer];
    if (b.space != Space::Constant || l.stride != 0 || l.active || !l.address.isConstant()) return std::nullopt;
    return constant(b.values[static_cast<std::size_t>(l.address.constant())], registerType(b.type));
  }

  StatementPtr folded(const Compute &given, const StatementPtr &original) const {
    if (std::none_of(given.args.begin(), given.args.end(), [&](const Operand &o) { return isConstant(o) || valueOf(o); })) return original;
    Compute c = given;
    bool changed = false;
    for (Operand &o : c.args)
      if (const Operand *value = valueOf(o)) o = *value, changed = true;
    if (c.op) changed |= reduce(c);
    return changed ? make(std::move(c), original->location) : original;
  }

  /// Of a register; null: not known.
  const Operand *valueOf(const Operand &o) const {
    const auto slot = o.kind == Operand::Kind::Register ? slots.of(o.reg) : std::nullopt;
    return slot && known[*slot] ? &*known[*slot] : nullptr;
  }

  static bool isConstant(const Operand &o) { return o.kind == Operand::Kind::Constant; }
  static bool is(const Operand &o, double value) { return isConstant(o) && o.type == DType::F32 && o.value == value; }

  /// To a constant, a move or a simpler operation.
  static bool reduce(Compute &c) {
    const auto move = [&](Operand o) { c = Compute{c.dst, {}, {std::move(o)}}; };
    if (std::all_of(c.args.begin(), c.args.end(), isConstant) && evaluable(*c.op))
      if (Operand value = evaluate(c); !std::isnan(value.value)) return move(std::move(value)), true;
    if (*c.op == Fn::Select && isConstant(c.args[0])) return move(c.args[0].value != 0 ? c.args[1] : c.args[2]), true;
    if (*c.op != Fn::Fma) return false;
    const Operand a = c.args[0], b = c.args[1], sum = c.args[2];
    if (is(a, 0) && is(b, 0)) return move(sum), true;
    for (const auto &[factor, value] : {std::pair{a, b}, std::pair{b, a}}) {
      if (is(factor, 1)) return c = Compute{c.dst, Fn::Add, {sum, value}}, true;
      if (is(factor, -1)) return c = Compute{c.dst, Fn::Sub, {sum, value}}, true;
    }
    return false;
  }

  static bool evaluable(Fn f) {
    switch (row(f).signature) {
    case Signature::Real:
    case Signature::Compare:
    case Signature::Logic: return true;
    default: return false;
    }
  }
  static Operand evaluate(const Compute &c) {
    const FlushDenormals flush;
    LaneValues in[3], out;
    for (std::size_t i = 0; i < c.args.size(); ++i)
      in[i].bits[0] = bits(c.args[i]);
    apply(*c.op, c.args[0].type == DType::I32, in[0], in[1], in[2], out);
    const bool real = row(*c.op).signature == Signature::Real;
    return constant(real ? std::bit_cast<float>(out.bits[0]) : out.bits[0], real ? DType::F32 : DType::Bool);
  }
  static std::uint32_t bits(const Operand &o) {
    return o.type == DType::F32 ? std::bit_cast<std::uint32_t>(static_cast<float>(o.value))
                                : static_cast<std::uint32_t>(static_cast<std::int64_t>(o.value));
  }

  const Entry &e;
  Slots slots;
  EffectsOf effects;
  std::vector<std::optional<Operand>> known; // by slot
};

} // namespace

void constants(const Entry &e, Kernel &k, std::int64_t) { k.body = ConstantFolder(e, k).fold(k.body); }

} // namespace netc::loop
