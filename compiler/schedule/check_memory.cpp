// Judges a memory plan by the lowered kernels alone, knowing nothing of how it was made.
#include "compiler/schedule/lower.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>

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

} // namespace

std::vector<MemoryViolation> checkMemory(const loop::Entry &e) {
  struct Use {
    int first = -1, last = -1;
    bool writtenFirst = false;
  };
  std::vector<Use> uses(e.buffers.size());
  int step = 0;
  for (std::size_t k = 0; k < e.kernels.size(); ++k) {
    forEachAccess(e.kernels[k].body, [&](int b, bool writes) {
      if (uses[b].first < 0) uses[b] = {step, step, writes};
      uses[b].last = step;
    });
    step += !e.kernels[k].depthFirst; // kernels that alternate block by block are one step
  }
  std::vector<MemoryViolation> violations;
  for (std::size_t i = 0; i < e.buffers.size(); ++i) {
    const loop::Buffer &a = e.buffers[i];
    if (a.space != loop::Space::Workspace || uses[i].first < 0) continue;
    if (!uses[i].writtenFirst)
      violations.push_back({a.location, fmt::format("{}: '{}' is read before it is written", e.name, a.name)});
    if (a.place + a.size * byteSize(a.type) > e.workspaceBytes)
      violations.push_back({a.location, fmt::format("{}: '{}' ends beyond the workspace", e.name, a.name)});
    for (std::size_t j = 0; j < i; ++j) {
      const loop::Buffer &b = e.buffers[j];
      if (b.space != loop::Space::Workspace || uses[j].first < 0) continue;
      const bool sameBytes =
          a.place < b.place + b.size * byteSize(b.type) && b.place < a.place + a.size * byteSize(a.type);
      if (sameBytes && uses[i].first <= uses[j].last && uses[j].first <= uses[i].last)
        violations.push_back(
            {a.location, fmt::format("{}: '{}' and '{}' overlap in memory and in time", e.name, a.name, b.name)});
    }
  }
  return violations;
}

} // namespace netc::schedule
