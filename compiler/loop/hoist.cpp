#include "compiler/loop/bounds.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/slots.h"

#include <algorithm>
#include <set>

namespace netc::loop {

namespace {

/// Registers that a loop may keep busy: AVX-512 has 32, and some hold operands for a moment. Beyond, a value kept
/// across the loop would go to the stack and cost more than loading it again.
constexpr int mostBusy = 26;

/// What a loop's body names.
struct Usage {
  explicit Usage(const Slots &slots) : assigned(slots.count(), 0), readFirst(slots.count(), false) {}
  std::vector<int> assigned;   // by slot: statements
  std::vector<bool> readFirst; // by slot: some run of the body may read what it has not assigned
  std::set<int> changed;       // buffers that stores may change
};

class Hoister {
public:
  Hoister(const Entry &e, const Kernel &k, std::int64_t batch)
      : slots(k), changed(changedByStore(e, k)), bounds(k, batch) {}

  Block hoist(const Block &block) {
    Block out;
    out.reserve(block.size());
    for (const StatementPtr &s : block) {
      if (auto *f = std::get_if<For>(&s->node)) {
        hoistFrom(*f, out);
      } else if (auto *i = std::get_if<If>(&s->node)) {
        bounds.enter(i->conditions);
        If copy{i->conditions, hoist(i->body)};
        bounds.leave();
        out.push_back(make(std::move(copy)));
      } else {
        out.push_back(s);
      }
    }
    return out;
  }

private:
  void hoistFrom(const For &loop, Block &out) {
    For f = loop;
    bounds.enter(f);
    f.body = hoist(f.body);
    bounds.leave();
    if (!f.unroll && bounds.surelyRuns(f)) moveInvariants(f, out);
    if (!f.body.empty()) out.push_back(make(std::move(f)));
  }

  void moveInvariants(For &f, Block &out) {
    Usage usage(slots);
    note(f.body, usage);
    auto busy = std::count(usage.readFirst.begin(), usage.readFirst.end(), true);
    Block stay;
    stay.reserve(f.body.size());
    std::vector<bool> readSoFar(slots.count(), false);
    for (const StatementPtr &s : f.body) {
      const RegisterRef *dst = destination(*s);
      const auto slot = dst ? slots.of(*dst) : std::nullopt;
      if (busy < mostBusy && slot && usage.assigned[*slot] == 1 && !readSoFar[*slot] && invariant(*s, f.var, usage)) {
        out.push_back(s);
        usage.assigned[*slot] = 0; // what depends on it is invariant now
        ++busy;
        continue;
      }
      noteReads(*s, readSoFar);
      stay.push_back(s);
    }
    f.body = std::move(stay);
  }

  bool invariant(const Statement &s, int var, const Usage &usage) const {
    bool same = true;
    forEachOperand(s, [&](const Operand &o) {
      if (o.kind != Operand::Kind::Register) return;
      const auto [begin, end] = slots.range(o.reg);
      for (int slot = begin; slot < end; ++slot) same &= usage.assigned[slot] == 0;
      for (const Affine &i : o.reg.index) same &= !i.uses(var);
    });
    if (auto *l = std::get_if<Load>(&s.node))
      return same && !l->address.uses(var) && !(l->active && l->active->uses(var)) && !usage.changed.count(l->buffer);
    if (auto *i = std::get_if<LaneIndex>(&s.node)) return !i->base.uses(var);
    if (auto *m = std::get_if<LaneMask>(&s.node)) return !m->active.uses(var);
    return same;
  }

  void note(const Block &block, Usage &usage) const {
    for (const StatementPtr &s : block) {
      forEachOperand(*s, [&](const Operand &o) {
        if (o.kind != Operand::Kind::Register) return;
        const auto [begin, end] = slots.range(o.reg);
        for (int slot = begin; slot < end; ++slot)
          if (usage.assigned[slot] == 0) usage.readFirst[slot] = true;
      });
      if (const RegisterRef *dst = destination(*s)) {
        const auto [begin, end] = slots.range(*dst);
        for (int slot = begin; slot < end; ++slot) ++usage.assigned[slot];
      } else if (auto *store = std::get_if<Store>(&s->node)) {
        for (const int b : changed.at(store->buffer)) usage.changed.insert(b);
      }
      if (const Block *body = bodyOf(*s)) note(*body, usage);
    }
  }

  /// Of nested statements too.
  void noteReads(const Statement &s, std::vector<bool> &read) const {
    forEachOperand(s, [&](const Operand &o) {
      if (o.kind != Operand::Kind::Register) return;
      const auto [begin, end] = slots.range(o.reg);
      for (int slot = begin; slot < end; ++slot) read[slot] = true;
    });
    if (const Block *body = bodyOf(s))
      for (const StatementPtr &inner : *body) noteReads(*inner, read);
  }

  Slots slots;
  std::map<int, std::vector<int>> changed;
  Bounds bounds;
};

} // namespace

void hoist(const Entry &e, Kernel &k, std::int64_t batch) { k.body = Hoister(e, k, batch).hoist(k.body); }

} // namespace netc::loop
