// Judges a memory plan by the lowered kernels alone, knowing nothing of how it was made.
#include "compiler/schedule/lower.h"

#include "compiler/loop/bounds.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <optional>

namespace netc::schedule {

namespace {

void forEachAccess(const loop::Block &block, const std::function<void(int buffer, bool writes)> &visit) {
  for (const loop::StatementPtr &s : block) {
    if (auto *l = std::get_if<loop::Load>(&s->node)) visit(l->buffer, false);
    if (auto *st = std::get_if<loop::Store>(&s->node)) visit(st->buffer, true);
    if (auto *f = std::get_if<loop::For>(&s->node)) forEachAccess(f->body, visit);
    if (auto *i = std::get_if<loop::If>(&s->node)) forEachAccess(i->body, visit);
  }
}

const loop::Block *bodyOf(const loop::Statement &s) {
  if (auto *f = std::get_if<loop::For>(&s.node)) return &f->body;
  if (auto *i = std::get_if<loop::If>(&s.node)) return &i->body;
  return nullptr;
}

std::int64_t bytes(const loop::Buffer &b) { return b.size * byteSize(b.type); }

/// Whether each iteration of a kernel touches a part of the buffers of its own: `part` bytes that begin at
/// `part` * iteration. The first access decides how many.
class OwnParts {
 public:
  OwnParts(const loop::Entry &e, std::int64_t batch, int a, int b) : e(e), batch(batch), a(a), b(b) {}

  bool holds(const loop::Kernel &kernel) {
    loop::Bounds bounds(kernel, batch);
    return holds(kernel, kernel.body, bounds);
  }

 private:
  bool holds(const loop::Kernel &k, const loop::Block &block, loop::Bounds &bounds) {
    return std::all_of(block.begin(), block.end(), [&](const loop::StatementPtr &s) { return holds(k, *s, bounds); });
  }
  bool holds(const loop::Kernel &k, const loop::Statement &s, loop::Bounds &bounds) {
    if (auto *l = std::get_if<loop::Load>(&s.node)) return inside(k, l->buffer, l->address, l->stride, l->active, bounds);
    if (auto *st = std::get_if<loop::Store>(&s.node)) return inside(k, st->buffer, st->address, st->stride, st->active, bounds);
    if (auto *f = std::get_if<loop::For>(&s.node)) bounds.enter(*f);
    if (auto *i = std::get_if<loop::If>(&s.node)) bounds.enter(i->conditions);
    const loop::Block *body = bodyOf(s);
    if (!body) return true;
    const bool all = holds(k, *body, bounds);
    bounds.leave();
    return all;
  }
  bool inside(const loop::Kernel &k, int buffer, const Affine &address, std::int64_t stride, const std::optional<Affine> &active,
              loop::Bounds &bounds) {
    if (buffer != a && buffer != b) return true;
    const std::int64_t each = byteSize(e.buffers[buffer].type), coefficient = k.parallel < 0 ? 0 : address.coefficient(k.parallel);
    if (!part) part = coefficient * each;
    if (coefficient <= 0 || coefficient * each != *part) return false;
    const Affine first = address - Affine::var(k.parallel, coefficient);
    const auto within = [&](const Affine &element) {
      return holdsAt(bounds, element) && holdsAt(bounds, Affine(coefficient - 1) - element);
    };
    if (active) bounds.enter(std::vector<Affine>{*active - 1}); // else nothing is touched
    const bool all = within(first) && (within(first + stride * (loop::lanes - 1)) || (active && within(first + (*active - 1) * stride)));
    if (active) bounds.leave();
    return all;
  }
  static bool holdsAt(const loop::Bounds &bounds, const Affine &a) {
    return bounds.nonNegative(a) || bounds.nonNegativeByTrying(a).value_or(false);
  }

  const loop::Entry &e;
  const std::int64_t batch;
  const int a, b;
  std::optional<std::int64_t> part;
};

/// Whether a kernel, which writes an element of `to` once, reads that of `from` before, and no other later.
class ReadsFirst {
 public:
  ReadsFirst(int from, int to) : from(from), to(to) {}

  bool holds(const loop::Block &block) const {
    for (std::size_t i = 0; i < block.size(); ++i) {
      const loop::Statement &s = *block[i];
      if (auto *st = std::get_if<loop::Store>(&s.node); st && st->buffer == from) return false;
      if (auto *l = std::get_if<loop::Load>(&s.node); l && l->buffer == from && !isWritten(*l, block, i + 1)) return false;
      if (const loop::Block *body = bodyOf(s); body && !holds(*body)) return false;
    }
    return true;
  }

 private:
  /// By a statement from number `begin` on, at the place of the load.
  bool isWritten(const loop::Load &l, const loop::Block &block, std::size_t begin) const {
    for (std::size_t i = begin; i < block.size(); ++i) {
      if (auto *st = std::get_if<loop::Store>(&block[i]->node))
        if (st->buffer == to && st->address == l.address &&
            (st->stride == l.stride || (isOne(l.stride, l.active) && isOne(st->stride, st->active))))
          return true;
      if (const loop::Block *body = bodyOf(*block[i]); body && isWritten(l, *body, 0)) return true;
    }
    return false;
  }
  static bool isOne(std::int64_t stride, const std::optional<Affine> &active) { return stride == 0 || active == Affine(1); }
  const int from, to;
};

class MemoryCheck {
 public:
  MemoryCheck(const loop::Entry &e, std::int64_t batch) : e(e), batch(batch), uses(e.buffers.size()) {}

  std::vector<MemoryViolation> run() {
    for (std::size_t k = 0; k < e.kernels.size(); ++k) {
      const bool goesOn = k > 0 && e.kernels[k - 1].depthFirst; // kernels that alternate block by block are at one time
      time.push_back(goesOn ? time.back() : static_cast<int>(k));
      forEachAccess(e.kernels[k].body, [&](int b, bool writes) { use(b, static_cast<int>(k), writes); });
    }
    for (std::size_t i = 0; i < e.buffers.size(); ++i) {
      const loop::Buffer &a = e.buffers[i];
      if (uses[i].first >= 0 && a.space == loop::Space::Part) checkPart(static_cast<int>(i));
      if (a.space != loop::Space::Workspace || uses[i].first < 0) continue;
      if (!uses[i].writtenFirst) report(a, fmt::format("'{}' is read before it is written", a.name));
      if (a.place + bytes(a) > e.sharedBytes()) report(a, fmt::format("'{}' ends beyond the workspace", a.name));
      for (std::size_t j = 0; j < i; ++j)
        if (const loop::Buffer &b = e.buffers[j];
            b.space == loop::Space::Workspace && uses[j].first >= 0 && collide(static_cast<int>(i), static_cast<int>(j)))
          report(a, fmt::format("'{}' and '{}' overlap in memory and in time", a.name, b.name));
    }
    return violations;
  }

 private:
  struct Use {
    int first = -1, last = -1; // kernels
    bool writtenFirst = false;
  };

  void use(int b, int kernel, bool writes) {
    if (uses[b].first < 0) uses[b] = {kernel, kernel, writes};
    uses[b].last = kernel;
  }
  void report(const loop::Buffer &b, const std::string &what) { violations.push_back({b.location, fmt::format("{}: {}", e.name, what)}); }

  /// One chain writes it first and touches it alone; the kernels of an iteration run one after the other.
  void checkPart(int i) {
    const loop::Buffer &a = e.buffers[i];
    if (!uses[i].writtenFirst) report(a, fmt::format("'{}' is read before it is written", a.name));
    if (time[uses[i].first] != time[uses[i].last]) report(a, fmt::format("'{}' lies in a part, but several tiles use it", a.name));
    for (int j = 0; j < i; ++j)
      if (const loop::Buffer &b = e.buffers[j];
          b.space == loop::Space::Part && uses[j].first >= 0 && a.place < b.place + bytes(b) && b.place < a.place + bytes(a) &&
          uses[i].first <= uses[j].last && uses[j].first <= uses[i].last)
        report(a, fmt::format("'{}' and '{}' overlap in memory and in time", a.name, b.name));
  }

  bool collide(int i, int j) const {
    const loop::Buffer &a = e.buffers[i], &b = e.buffers[j];
    if (a.place >= b.place + bytes(b) || b.place >= a.place + bytes(a)) return false;
    if (time[uses[i].first] > time[uses[j].last] || time[uses[j].first] > time[uses[i].last]) return false;
    return !(a.place == b.place && (takesOver(i, j) || takesOver(j, i)));
  }

  /// One ends where the other, in the same place, begins: element by element in one kernel, or block of samples by
  /// block in kernels that alternate.
  bool takesOver(int before, int after) const {
    const int last = uses[before].last, first = uses[after].first;
    if (last > first || (last == first && !ReadsFirst(before, after).holds(e.kernels[last].body))) return false;
    OwnParts parts(e, batch, before, after);
    for (std::size_t k = 0; k < e.kernels.size(); ++k) {
      const bool alternates = (e.kernels[k].depthFirst || (k > 0 && e.kernels[k - 1].depthFirst)) && iterations(e.kernels[k]) > 1;
      if (time[k] == time[last] && alternates && !parts.holds(e.kernels[k])) return false;
    }
    return true;
  }

  std::int64_t iterations(const loop::Kernel &k) const {
    const std::int64_t sizes[] = {batch, (batch + loop::lanes - 1) / loop::lanes, batch / loop::lanes};
    return k.parallelExtent.evaluate([&](int v) { return sizes[v]; });
  }

  const loop::Entry &e;
  const std::int64_t batch;
  std::vector<int> time; // of each kernel
  std::vector<Use> uses; // of each buffer
  std::vector<MemoryViolation> violations;
};

} // namespace

std::vector<MemoryViolation> checkMemory(const loop::Entry &e, std::int64_t batch) { return MemoryCheck(e, batch).run(); }

} // namespace netc::schedule
