// Where each register of a kernel is declared.
#include "compiler/codegen/model_tables.h"
#include "compiler/loop/slots.h"

#include <algorithm>

namespace netc::codegen {

using namespace loop;

namespace {

bool surelyRuns(const For &f) {
  for (const Affine &lo : f.lower)
    for (const Affine &hi : f.upper)
      if (!(hi - lo).isConstant() || (hi - lo).constant() <= 0) return false;
  return true;
}

using Path = std::vector<const Statement *>; // the For/If statements around a place, outermost first

class ScopeFinder {
public:
  explicit ScopeFinder(const Kernel &kernel) : slots(kernel), paths(kernel.registers.size()), used(kernel.registers.size()) {
    std::vector<bool> assigned(slots.count(), false);
    walk(kernel.body, assigned);
  }

  std::vector<const Statement *> scopes() const {
    std::vector<const Statement *> result;
    for (const Path &p : paths) result.push_back(p.empty() ? nullptr : p.back());
    return result;
  }

private:
  /// `assigned`: slots that surely got a value in this iteration of the innermost loop.
  void walk(const Block &block, std::vector<bool> &assigned) {
    for (const StatementPtr &s : block) {
      if (const Block *body = bodyOf(*s)) {
        const bool loop = std::holds_alternative<For>(s->node);
        here.push_back(s.get());
        std::vector<bool> inside = loop ? std::vector<bool>(assigned.size(), false) : assigned;
        if (loop) before.push_back(&assigned);
        walk(*body, inside);
        if (loop) before.pop_back();
        here.pop_back();
        if (loop && surelyRuns(std::get<For>(s->node)))
          for (std::size_t slot = 0; slot < inside.size(); ++slot)
            if (inside[slot]) assigned[slot] = true;
        continue;
      }
      forEachOperand(*s, [&](const Operand &o) {
        if (o.kind == Operand::Kind::Register) read(o.reg, assigned);
      });
      if (const RegisterRef *d = destination(*s)) write(*d, assigned);
    }
  }

  void read(const RegisterRef &r, const std::vector<bool> &assigned) {
    const int slot = slots.at(r);
    narrow(r.reg, assigned[slot] ? here : outsideLoops(slot)); // outside: it comes from before this iteration
  }

  void write(const RegisterRef &r, std::vector<bool> &assigned) {
    assigned[slots.at(r)] = true;
    narrow(r.reg, here);
  }

  /// The innermost place around the loops whose iterations do not assign the register before they read it.
  Path outsideLoops(int slot) const {
    Path place = here;
    for (auto outer = before.rbegin();; ++outer) {
      while (!place.empty() && !std::holds_alternative<For>(place.back()->node)) place.pop_back();
      if (!place.empty()) place.pop_back();
      if (outer == before.rend() || (**outer)[slot]) return place;
    }
  }

  void narrow(int reg, const Path &place) {
    if (!used[reg]) paths[reg] = place;
    used[reg] = true;
    const auto common = std::mismatch(paths[reg].begin(), paths[reg].end(), place.begin(), place.end()).first;
    paths[reg].erase(common, paths[reg].end());
  }

  const Slots slots;
  std::vector<Path> paths; // by register: the block that holds all uses so far
  std::vector<bool> used;
  Path here;
  std::vector<std::vector<bool> *> before; // what surely had a value where each loop around this place started
};

} // namespace

std::vector<const Statement *> registerScopes(const Kernel &kernel) { return ScopeFinder(kernel).scopes(); }

} // namespace netc::codegen
