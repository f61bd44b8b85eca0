#include "compiler/loop/walk.h"

#include <fmt/format.h>

namespace netc::loop {

namespace {
template <class... Fs> struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs> Overloaded(Fs...) -> Overloaded<Fs...>;
} // namespace

const RegisterRef *destination(const Statement &s) {
  return std::visit(Overloaded{[](const Store &) -> const RegisterRef * { return nullptr; },
                               [](const For &) -> const RegisterRef * { return nullptr; },
                               [](const If &) -> const RegisterRef * { return nullptr; },
                               [](const auto &n) -> const RegisterRef * { return &n.dst; }},
                    s.node);
}

void forEachOperand(const Statement &s, FunctionRef<void(const Operand &)> f) {
  if (auto *c = std::get_if<Compute>(&s.node)) {
    for (const Operand &a : c->args) f(a);
  } else if (auto *st = std::get_if<Store>(&s.node)) {
    f(st->value);
  } else if (auto *r = std::get_if<Reduce>(&s.node)) {
    f(r->src);
  }
}

const Block *bodyOf(const Statement &s) {
  if (auto *f = std::get_if<For>(&s.node)) return &f->body;
  if (auto *i = std::get_if<If>(&s.node)) return &i->body;
  return nullptr;
}

void forEachStatement(const Block &block, FunctionRef<void(const Statement &)> f) {
  for (const StatementPtr &s : block) {
    f(*s);
    if (const Block *body = bodyOf(*s)) forEachStatement(*body, f);
  }
}

namespace {

struct Rewriter {
  const Rewrite &how;

  void operator()(RegisterRef &r) const {
    if (how.reg) r.reg = how.reg(r.reg);
    for (Affine &i : r.index) (*this)(i);
  }
  void operator()(Affine &a) const {
    if (how.affine) a = how.affine(a);
  }
  void operator()(Operand &o) const {
    if (o.kind == Operand::Kind::Register) (*this)(o.reg);
    if (o.kind == Operand::Kind::Scalar && how.scalar) o.scalar = how.scalar(o.scalar);
  }
  void operator()(std::optional<Affine> &a) const {
    if (a) (*this)(*a);
  }
  void operator()(Compute &n) const {
    (*this)(n.dst);
    for (Operand &a : n.args) (*this)(a);
  }
  void operator()(Load &n) const {
    (*this)(n.dst);
    if (how.buffer) n.buffer = how.buffer(n.buffer);
    (*this)(n.address);
    (*this)(n.active);
  }
  void operator()(Store &n) const {
    if (how.buffer) n.buffer = how.buffer(n.buffer);
    (*this)(n.address);
    (*this)(n.value);
    (*this)(n.active);
  }
  void operator()(LaneIndex &n) const {
    (*this)(n.dst);
    (*this)(n.base);
  }
  void operator()(LaneMask &n) const {
    (*this)(n.dst);
    (*this)(n.active);
  }
  void operator()(Reduce &n) const {
    (*this)(n.dst);
    (*this)(n.src);
  }
  void operator()(For &n) const {
    for (Affine &a : n.lower) (*this)(a);
    for (Affine &a : n.upper) (*this)(a);
  }
  void operator()(If &n) const {
    for (Affine &a : n.conditions) (*this)(a);
  }
};

/// Whether the statement names something that is rewritten, its body aside.
bool concerns(const Rewrite &how, const Statement &s) {
  if (how.affine || how.reg) return true;
  if (how.buffer && (std::holds_alternative<Load>(s.node) || std::holds_alternative<Store>(s.node))) return true;
  bool named = false;
  if (how.scalar) forEachOperand(s, [&](const Operand &o) { named |= o.kind == Operand::Kind::Scalar; });
  return named;
}

} // namespace

Statement rewritten(const Statement &s, const Rewrite &how) {
  Statement copy = s;
  const Rewriter rewriter{how};
  std::visit([&](auto &n) { rewriter(n); }, copy.node);
  return copy;
}

Block rewritten(const Block &block, const Rewrite &how) {
  Block out;
  out.reserve(block.size());
  for (const StatementPtr &s : block) {
    const Block *body = bodyOf(*s);
    const StatementPtr outer = body ? withBody(*s, rewritten(*body, how)) : s;
    out.push_back(concerns(how, *s) ? std::make_shared<const Statement>(rewritten(*outer, how)) : outer);
  }
  return out;
}

StatementPtr withBody(const Statement &s, Block body) {
  if (auto *f = std::get_if<For>(&s.node))
    return make(For{f->var, f->lower, f->upper, f->step, f->unroll, std::move(body)}, s.location);
  return make(If{std::get<If>(s.node).conditions, std::move(body)}, s.location);
}

DType registerType(DType element) { return element == DType::U8 ? DType::I32 : element; }

std::optional<DType> operandType(const Kernel &k, const Operand &o) {
  switch (o.kind) {
  case Operand::Kind::Constant:
  case Operand::Kind::Scalar: return o.type;
  case Operand::Kind::Register:
    if (o.reg.reg < 0 || o.reg.reg >= static_cast<int>(k.registers.size())) return std::nullopt;
    return k.registers[o.reg.reg].type;
  }
  return std::nullopt;
}

std::optional<DType> resultType(const Kernel &k, const Compute &c) {
  const auto argument = [&](std::size_t i) -> std::optional<DType> {
    if (i >= c.args.size()) return std::nullopt;
    return operandType(k, c.args[i]);
  };
  if (!c.op) return argument(0);
  switch (row(*c.op).signature) {
  case Signature::Real:
  case Signature::IntToReal: return DType::F32;
  case Signature::Integer:
  case Signature::RealToInt: return DType::I32;
  case Signature::Compare:
  case Signature::Logic: return DType::Bool;
  case Signature::Choose: {
    const auto second = argument(1);
    return second ? second : argument(2);
  }
  }
  return std::nullopt;
}

std::optional<DType> resultType(const Entry &e, const Kernel &k, const Statement &s) {
  if (auto *c = std::get_if<Compute>(&s.node)) return resultType(k, *c);
  if (auto *l = std::get_if<Load>(&s.node)) {
    if (l->buffer < 0 || l->buffer >= static_cast<int>(e.buffers.size())) return std::nullopt;
    return registerType(e.buffers[l->buffer].type);
  }
  if (std::holds_alternative<LaneIndex>(s.node)) return DType::I32;
  if (std::holds_alternative<LaneMask>(s.node)) return DType::Bool;
  if (auto *r = std::get_if<Reduce>(&s.node)) return operandType(k, r->src);
  return std::nullopt;
}

bool overlaps(const Buffer &a, const Buffer &b) {
  if (a.space != b.space || a.space == Space::Constant) return false;
  if (a.space == Space::Input || a.space == Space::Output) return a.place == b.place;
  return a.place < b.place + b.size * byteSize(b.type) && b.place < a.place + a.size * byteSize(a.type);
}

void compactRegisters(Kernel &k) {
  std::vector<bool> named(k.registers.size(), false);
  const auto see = [&](const RegisterRef &r) { named[r.reg] = true; };
  forEachStatement(k.body, [&](const Statement &s) {
    if (const RegisterRef *d = destination(s)) see(*d);
    forEachOperand(s, [&](const Operand &o) {
      if (o.kind == Operand::Kind::Register) see(o.reg);
    });
  });
  std::vector<int> number(k.registers.size(), -1);
  std::vector<Register> kept;
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (!named[i]) continue;
    number[i] = static_cast<int>(kept.size());
    kept.push_back(std::move(k.registers[i]));
  }
  if (kept.size() == named.size()) {
    k.registers = std::move(kept);
    return;
  }
  k.registers = std::move(kept);
  k.body = rewritten(k.body, {{}, [&](int r) { return number[r]; }});
}

RegisterNames::RegisterNames(const Kernel &k) {
  for (const Register &r : k.registers) taken.insert(r.name);
}

std::string RegisterNames::fresh(const std::string &name) {
  // A copy of x_1 is another copy of x.
  const std::size_t end = name.find_last_not_of("0123456789");
  const bool copy = end != std::string::npos && end + 1 < name.size() && name[end] == '_' && taken.count(name.substr(0, end));
  const std::string base = copy ? name.substr(0, end) : name;
  for (int &n = used[base];;) {
    std::string next = fmt::format("{}_{}", base, ++n);
    if (taken.insert(next).second) return next;
  }
}

} // namespace netc::loop
