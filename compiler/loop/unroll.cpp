#include "compiler/loop/copy.h"
#include "compiler/loop/passes.h"

#include <algorithm>

namespace netc::loop {

namespace {

bool unrolled(const Statement &s) {
  const For *f = std::get_if<For>(&s.node);
  return f && f->unroll;
}

class Unroller {
public:
  explicit Unroller(Kernel &k) : value(k.variables.size()), registers(k, unrolled) {}

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
    const std::optional<std::int64_t> outer = value[f.var];
    for (std::int64_t v = begin; v < end; v += f.step) {
      value[f.var] = v;
      registers.begin(*original);
      for (const StatementPtr &s : f.body) expand(s, out);
    }
    value[f.var] = outer;
  }

  static bool constant(const std::vector<Affine> &bounds) {
    return std::all_of(bounds.begin(), bounds.end(), [](const Affine &a) { return a.isConstant(); });
  }

  Affine substituted(const Affine &a) const {
    const auto known = [&](const Affine::Term &t) { return value[t.first].has_value(); };
    if (std::none_of(a.terms().begin(), a.terms().end(), known)) return a;
    return a.substitute([&](int v) { return value[v] ? Affine(*value[v]) : Affine::var(v); });
  }

  std::vector<std::optional<std::int64_t>> value; // of the loops being expanded, by variable
  RegisterCopies registers;
  const Rewrite how{[this](const Affine &a) { return substituted(a); }, [this](int r) { return registers[r]; }};
};

} // namespace

void unroll(Kernel &k, std::int64_t) {
  bool some = false;
  forEachStatement(k.body, [&](const Statement &s) { some |= unrolled(s); });
  if (some) k.body = Unroller(k).expand(k.body);
}

} // namespace netc::loop
