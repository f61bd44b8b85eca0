#include "compiler/loop/dead_registers.h"

#include "compiler/loop/slots.h"

namespace netc::loop {

namespace {

/// Which slots some store depends on. A register with an index that is not constant counts as a whole.
class Needed {
public:
  explicit Needed(const Kernel &k) : slots(k), needs(slots.count()), needed(slots.count(), false) {
    forEachStatement(k.body, [&](const Statement &s) {
      const RegisterRef *dst = destination(s);
      forEachOperand(s, [&](const Operand &o) {
        if (o.kind != Operand::Kind::Register) return;
        if (dst) addEdges(slots.range(*dst), slots.range(o.reg));
        else mark(slots.range(o.reg));
      });
    });
    while (!work.empty()) {
      const int slot = work.back();
      work.pop_back();
      for (const auto &range : needs[slot]) mark(range);
    }
  }

  bool operator()(const RegisterRef &r) const {
    const auto [begin, end] = slots.range(r);
    for (int slot = begin; slot < end; ++slot)
      if (needed[slot]) return true;
    return false;
  }

private:
  void addEdges(std::pair<int, int> from, std::pair<int, int> to) {
    for (int slot = from.first; slot < from.second; ++slot) needs[slot].push_back(to);
  }
  void mark(std::pair<int, int> range) {
    for (int slot = range.first; slot < range.second; ++slot) {
      if (needed[slot]) continue;
      needed[slot] = true;
      work.push_back(slot);
    }
  }

  Slots slots;
  std::vector<std::vector<std::pair<int, int>>> needs; // by slot: the slots that its assignments read
  std::vector<bool> needed;
  std::vector<int> work;
};

Block kept(const Block &block, const Needed &needed) {
  Block out;
  out.reserve(block.size());
  for (const StatementPtr &s : block) {
    const RegisterRef *dst = destination(*s);
    if (dst && !needed(*dst)) continue;
    if (!bodyOf(*s)) {
      out.push_back(s);
      continue;
    }
    if (Block body = kept(*bodyOf(*s), needed); !body.empty()) out.push_back(withBody(*s, std::move(body)));
  }
  return out;
}

} // namespace

void dropDeadRegisters(Kernel &k) {
  {
    const Needed needed(k);
    k.body = kept(k.body, needed);
  }
  compactRegisters(k);
}

} // namespace netc::loop
