#include "compiler/loop/bounds.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/walk.h"

#include <algorithm>

namespace netc::loop {

namespace {

class Folder {
public:
  Folder(const Kernel &k, std::int64_t batch) : bounds(k, batch), value(k.variables.size()) {}

  Block fold(const Block &block) {
    Block out;
    out.reserve(block.size());
    for (const StatementPtr &s : block) fold(s, out);
    return out;
  }

private:
  void fold(const StatementPtr &s, Block &out) {
    if (!bodyOf(*s)) {
      out.push_back(replaced == 0 ? s : std::make_shared<const Statement>(rewritten(*s, how)));
      return;
    }
    Statement copy = rewritten(*s, how);
    if (auto *f = std::get_if<For>(&copy.node)) foldLoop(std::move(*f), out);
    else foldGuard(std::get<If>(std::move(copy.node)), out);
  }

  void foldLoop(For f, Block &out) {
    keepDominating(f.lower, [&](const Affine &a, const Affine &b) { return bounds.nonNegative(a - b); });
    keepDominating(f.upper, [&](const Affine &a, const Affine &b) { return bounds.nonNegative(b - a); });
    if (bounds.neverRuns(f)) return;
    if (runsOnce(f)) {
      // The guards around hold here too, so nothing is entered.
      const std::optional<Affine> outer = value[f.var];
      value[f.var] = f.lower[0];
      ++replaced;
      for (const StatementPtr &s : f.body) fold(s, out);
      --replaced;
      value[f.var] = outer;
      return;
    }
    bounds.enter(f);
    f.body = fold(f.body);
    bounds.leave();
    if (!f.body.empty()) out.push_back(make(std::move(f)));
  }

  void foldGuard(If guard, Block &out) {
    std::vector<Affine> open;
    for (Affine &c : guard.conditions) {
      if (bounds.negative(c)) return;
      const bool twice = std::find(open.begin(), open.end(), c) != open.end();
      if (!twice && !bounds.nonNegative(c)) open.push_back(std::move(c));
    }
    if (open.empty()) {
      for (const StatementPtr &s : guard.body) fold(s, out);
      return;
    }
    guard.conditions = std::move(open);
    bounds.enter(guard.conditions);
    guard.body = fold(guard.body);
    bounds.leave();
    if (!guard.body.empty()) out.push_back(make(std::move(guard)));
  }

  /// Removes every bound that another one makes superfluous: `beats(a, b)` means that b is not needed beside a.
  template <class Beats> static void keepDominating(std::vector<Affine> &list, Beats beats) {
    for (std::size_t i = 0; i < list.size();) {
      bool needless = false;
      for (std::size_t j = 0; j < list.size() && !needless; ++j) needless = j != i && beats(list[j], list[i]);
      if (needless) list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
      else ++i;
    }
  }

  bool runsOnce(const For &f) const {
    if (f.lower.size() != 1 || f.upper.size() != 1) return false;
    const Affine extent = f.upper[0] - f.lower[0];
    return extent.isConstant() && extent.constant() >= 1 && extent.constant() <= f.step;
  }

  Affine substituted(const Affine &a) const {
    const auto known = [&](const Affine::Term &t) { return value[t.first].has_value(); };
    if (std::none_of(a.terms().begin(), a.terms().end(), known)) return a;
    return a.substitute([&](int v) { return value[v] ? *value[v] : Affine::var(v); });
  }

  Bounds bounds;
  std::vector<std::optional<Affine>> value; // of the variables of loops that run once
  int replaced = 0;                         // how many of them are around
  const Rewrite how{[this](const Affine &a) { return substituted(a); }, {}};
};

} // namespace

void fold(Kernel &k, std::int64_t batch) {
  k.body = Folder(k, batch).fold(k.body);
  compactRegisters(k);
}

} // namespace netc::loop
