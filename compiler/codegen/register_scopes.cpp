// Where each register of a kernel is declared.
#include "compiler/codegen/model_tables.h"

#include <algorithm>
#include <set>

namespace netc::codegen {

using namespace loop;

namespace {

struct Access {
  const RegisterRef *ref;
  bool write;
};

/// The register accesses of one statement, reads before the write.
std::vector<Access> accesses(const Statement &s) {
  std::vector<Access> list;
  const auto read = [&](const Operand &o) {
    if (o.kind == Operand::Kind::Register) list.push_back({&o.reg, false});
  };
  if (auto *c = std::get_if<Compute>(&s.node)) {
    for (const Operand &o : c->args) read(o);
    list.push_back({&c->dst, true});
  } else if (auto *l = std::get_if<Load>(&s.node)) list.push_back({&l->dst, true});
  else if (auto *st = std::get_if<Store>(&s.node)) read(st->value);
  else if (auto *i = std::get_if<LaneIndex>(&s.node)) list.push_back({&i->dst, true});
  else if (auto *m = std::get_if<LaneMask>(&s.node)) list.push_back({&m->dst, true});
  else if (auto *r = std::get_if<Reduce>(&s.node)) {
    read(r->src);
    list.push_back({&r->dst, true});
  }
  return list;
}

const Block *bodyOf(const Statement &s) {
  if (auto *f = std::get_if<For>(&s.node)) return &f->body;
  if (auto *i = std::get_if<If>(&s.node)) return &i->body;
  return nullptr;
}

bool surelyRuns(const For &f) {
  for (const Affine &lo : f.lower)
    for (const Affine &hi : f.upper)
      if (!(hi - lo).isConstant() || (hi - lo).constant() <= 0) return false;
  return true;
}

using Path = std::vector<const Statement *>; // the For/If statements around a place, outermost first
using Key = std::pair<int, std::vector<std::int64_t>>; // one element of a register array

Key key(const RegisterRef &r) {
  Key k{r.reg, {}};
  for (const Affine &i : r.index) k.second.push_back(i.constant());
  return k;
}

class ScopeFinder {
public:
  explicit ScopeFinder(const Kernel &kernel) : paths(kernel.registers.size()), used(kernel.registers.size()) {
    std::set<Key> assigned;
    walk(kernel.body, assigned);
  }

  std::vector<const Statement *> scopes() const {
    std::vector<const Statement *> result;
    for (const Path &p : paths) result.push_back(p.empty() ? nullptr : p.back());
    return result;
  }

private:
  /// `assigned`: elements that surely got a value in this iteration of the innermost loop.
  void walk(const Block &block, std::set<Key> &assigned) {
    for (const StatementPtr &s : block) {
      if (const Block *body = bodyOf(*s)) {
        const bool loop = std::holds_alternative<For>(s->node);
        here.push_back(s.get());
        std::set<Key> inside = loop ? std::set<Key>{} : assigned;
        if (loop) before.push_back(&assigned);
        walk(*body, inside);
        if (loop) before.pop_back();
        here.pop_back();
        if (loop && surelyRuns(std::get<For>(s->node))) assigned.insert(inside.begin(), inside.end());
        continue;
      }
      for (const Access &a : accesses(*s)) access(a, assigned);
    }
  }

  void access(const Access &a, std::set<Key> &assigned) {
    const Key k = key(*a.ref);
    Path place = here;
    if (a.write) assigned.insert(k);
    else if (!assigned.count(k)) place = outsideLoops(k); // the value comes from before this iteration
    narrow(a.ref->reg, place);
  }

  /// The innermost place around the loops whose iterations do not assign the element before they read it.
  Path outsideLoops(const Key &k) const {
    Path place = here;
    for (auto outer = before.rbegin();; ++outer) {
      while (!place.empty() && !std::holds_alternative<For>(place.back()->node)) place.pop_back();
      if (!place.empty()) place.pop_back();
      if (outer == before.rend() || (*outer)->count(k)) return place;
    }
  }

  void narrow(int reg, const Path &place) {
    if (!used[reg]) paths[reg] = place;
    used[reg] = true;
    const auto common = std::mismatch(paths[reg].begin(), paths[reg].end(), place.begin(), place.end()).first;
    paths[reg].erase(common, paths[reg].end());
  }

  std::vector<Path> paths; // by register: the block that holds all uses so far
  std::vector<bool> used;
  Path here;
  std::vector<std::set<Key> *> before; // what surely had a value where each loop around this place started
};

} // namespace

std::vector<const Statement *> registerScopes(const Kernel &kernel) { return ScopeFinder(kernel).scopes(); }

} // namespace netc::codegen
