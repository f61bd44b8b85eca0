#include "compiler/loop/copy.h"

#include <algorithm>
#include <numeric>

namespace netc::loop {

namespace {

/// Where a register is named: the blocks around its first statement, and how many of them are around all others.
struct Place {
  std::vector<const Block *> blocks;
  std::vector<const Statement *> loops; // by block: the For or If whose body it is
  bool assignedFirst = false;
  bool shared = false; // something names it outside of the block of its first statement
  bool seen = false;
};

class Finder {
public:
  explicit Finder(const Kernel &k) : places(k.registers.size()) {}

  void walk(const Block &block, const Statement *owner) {
    blocks.push_back(&block);
    owners.push_back(owner);
    for (const StatementPtr &s : block) {
      forEachOperand(*s, [&](const Operand &o) {
        if (o.kind == Operand::Kind::Register) see(o.reg.reg, false);
      });
      if (const RegisterRef *d = destination(*s)) see(d->reg, true);
      if (const Block *body = bodyOf(*s)) walk(*body, s.get());
    }
    blocks.pop_back();
    owners.pop_back();
  }

  std::vector<Place> places;

private:
  void see(int reg, bool assigned) {
    Place &p = places[reg];
    if (!p.seen) {
      p = {blocks, owners, assigned, false, true};
    } else if (blocks.size() < p.blocks.size() || blocks[p.blocks.size() - 1] != p.blocks.back()) {
      p.shared = true;
    }
  }
  std::vector<const Block *> blocks;
  std::vector<const Statement *> owners;
};

} // namespace

PrivateRegisters privateRegisters(const Kernel &k, const std::function<bool(const Statement &)> &isLoop) {
  Finder finder(k);
  finder.walk(k.body, nullptr);
  PrivateRegisters found;
  for (std::size_t r = 0; r < finder.places.size(); ++r) {
    const Place &p = finder.places[r];
    if (!p.seen || p.shared || !p.assignedFirst || !k.registers[r].dims.empty()) continue;
    const auto home =
        std::find_if(p.loops.rbegin(), p.loops.rend(), [&](const Statement *s) { return s && isLoop(*s); });
    if (home != p.loops.rend()) found[*home].push_back(static_cast<int>(r));
  }
  return found;
}

RegisterCopies::RegisterCopies(Kernel &k, const std::function<bool(const Statement &)> &isCopied)
    : kernel(k), own(privateRegisters(k, isCopied)), free(k), names(k.registers.size()),
      used(k.registers.size(), false) {
  std::iota(names.begin(), names.end(), 0);
}

void RegisterCopies::begin(const Statement &loop) {
  if (const auto found = own.find(&loop); found != own.end())
    for (const int r : found->second) names[r] = copyOf(r);
}

int RegisterCopies::copyOf(int r) {
  if (!used[r]) {
    used[r] = true;
    return r;
  }
  Register copy = kernel.registers[r];
  copy.name = free.fresh(copy.name);
  kernel.registers.push_back(std::move(copy));
  return static_cast<int>(kernel.registers.size()) - 1;
}

} // namespace netc::loop
