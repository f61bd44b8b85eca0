#include "compiler/loop/copy.h"
#include "compiler/loop/passes.h"

#include <algorithm>

namespace netc::loop {

namespace {

class Unroller {
public:
  explicit Unroller(Kernel &k)
      : k(k), names(k), priv(privateRegisters(k, unrolled)),
        value(k.variables.size()), reg(k.registers.size()), used(k.registers.size(), false) {
    for (std::size_t i = 0; i < reg.size(); ++i) reg[i] = static_cast<int>(i);
  }

  Block expand(const Block &block) {
    Block out;
    out.reserve(block.size());
    for (const StatementPtr &s : block) expand(s, out);
    return out;
  }

private:
  void expand(const StatementPtr &s, Block &out) {
    Statement copy = rewritten(*s, how);
    if (auto *f = std::get_if<For>(&copy.node)) {
      if (f->unroll && constant(f->lower) && constant(f->upper)) return expandLoop(s, *f, out);
      f->body = expand(f->body);
    } else if (auto *i = std::get_if<If>(&copy.node)) {
      i->body = expand(i->body);
    }
    out.push_back(std::make_shared<const Statement>(std::move(copy)));
  }

  /// `f` has its bounds rewritten, its body not yet.
  void expandLoop(const StatementPtr &original, const For &f, Block &out) {
    std::int64_t begin = f.lower[0].constant(), end = f.upper[0].constant();
    for (const Affine &l : f.lower) begin = std::max(begin, l.constant());
    for (const Affine &u : f.upper) end = std::min(end, u.constant());
    const auto own = priv.find(original.get());
    const std::optional<std::int64_t> outer = value[f.var];
    for (std::int64_t v = begin; v < end; v += f.step) {
      value[f.var] = v;
      if (own != priv.end())
        for (const int r : own->second) reg[r] = copyOf(r);
      for (const StatementPtr &s : f.body) expand(s, out);
    }
    value[f.var] = outer;
  }

  /// The first copy keeps the register, each later one gets its own: values of one assignment are easy to share (cse).
  int copyOf(int r) {
    if (!used[r]) {
      used[r] = true;
      return r;
    }
    Register copy = k.registers[r];
    copy.name = names.fresh(copy.name);
    k.registers.push_back(std::move(copy));
    return static_cast<int>(k.registers.size()) - 1;
  }

  static bool unrolled(const Statement &s) {
    const For *f = std::get_if<For>(&s.node);
    return f && f->unroll;
  }

  static bool constant(const std::vector<Affine> &bounds) {
    return std::all_of(bounds.begin(), bounds.end(), [](const Affine &a) { return a.isConstant(); });
  }

  Affine substituted(const Affine &a) const {
    const auto known = [&](const Affine::Term &t) { return value[t.first].has_value(); };
    if (std::none_of(a.terms().begin(), a.terms().end(), known)) return a;
    return a.substitute([&](int v) { return value[v] ? Affine(*value[v]) : Affine::var(v); });
  }

  Kernel &k;
  RegisterNames names;
  PrivateRegisters priv;
  std::vector<std::optional<std::int64_t>> value; // of the loops being expanded, by variable
  std::vector<int> reg;                           // what a register is called in the copy being made
  std::vector<bool> used;                         // by original register: some copy has it
  const Rewrite how{[this](const Affine &a) { return substituted(a); }, [this](int r) { return reg[r]; }};
};

} // namespace

void unroll(Kernel &k, std::int64_t) { k.body = Unroller(k).expand(k.body); }

} // namespace netc::loop
