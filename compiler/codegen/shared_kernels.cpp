#include "compiler/codegen/shared_kernels.h"

#include "compiler/loop/walk.h"
#include "compiler/support/in_parallel.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>

namespace netc::codegen {

using namespace loop;

namespace {

/// All of a kernel that its function depends on, as words. Names are left out; variables, registers, buffers and scalars are
/// numbered in order of first use.
class CodeKey {
public:
  CodeKey(const Entry &entry, const loop::Kernel &kernel) : entry(entry) {
    add(kernel.parallel >= 0);
    if (kernel.parallel >= 0) use(variables, kernel.parallel);
    add(kernel.body);
    for (const int r : registers) {
      add(kernel.registers[r].type);
      list(kernel.registers[r].dims, [&](std::int64_t d) { add(d); });
    }
    for (const int b : buffers) add(entry.buffers[b]);
    for (const int s : scalars) add(typeOf(entry.scalars[s].program));
  }

  std::string words;
  std::vector<int> buffers, scalars; // those used, in order of first use

private:
  template <class Number> void add(Number n) {
    const auto word = static_cast<std::int64_t>(n);
    words.append(reinterpret_cast<const char *>(&word), sizeof word);
  }
  void add(double value) {
    std::int64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    add(bits);
  }
  template <class List, class Each> void list(const List &items, Each each) {
    add(items.size());
    for (const auto &item : items) each(item);
  }
  void add(const Affine &a) {
    add(a.constant());
    list(a.terms(), [&](const Affine::Term &t) {
      if (t.first < firstLoopVariable) add(t.first);
      else use(variables, t.first);
      add(t.second);
    });
  }
  void add(const std::vector<Affine> &all) {
    list(all, [&](const Affine &a) { add(a); });
  }
  void add(const std::optional<Affine> &a) {
    add(a.has_value());
    if (a) add(*a);
  }
  void add(const RegisterRef &r) { use(registers, r.reg), add(r.index); }
  void add(const Operand &o) {
    add(o.kind);
    if (o.kind == Operand::Kind::Register) add(o.reg);
    if (o.kind == Operand::Kind::Constant) add(o.type), add(o.value);
    if (o.kind == Operand::Kind::Scalar) use(scalars, o.scalar);
  }
  void add(const Block &block) {
    list(block, [&](const StatementPtr &s) {
      add(s->node.index());
      std::visit([&](const auto &node) { add(node); }, s->node);
    });
  }
  void add(const Compute &c) {
    add(c.dst), add(c.op ? static_cast<int>(*c.op) : -1);
    list(c.args, [&](const Operand &o) { add(o); });
  }
  void add(const Load &l) { add(l.dst), use(buffers, l.buffer), add(l.address), add(l.stride), add(l.active); }
  void add(const Store &s) { use(buffers, s.buffer), add(s.address), add(s.stride), add(s.value), add(s.active); }
  void add(const LaneIndex &i) { add(i.dst), add(i.base), add(i.step); }
  void add(const LaneMask &m) { add(m.dst), add(m.active); }
  void add(const Reduce &r) { add(r.dst), add(r.op), add(r.src); }
  void add(const For &f) { use(variables, f.var), add(f.lower), add(f.upper), add(f.step), add(f.unroll), add(f.body); }
  void add(const If &i) { add(i.conditions), add(i.body); }

  /// The back ends may know which buffers are disjoint, so that is part of the code.
  void add(const Buffer &b) {
    add(b.type), add(b.space);
    list(b.values, [&](double v) { add(v); });
    for (const int other : buffers) add(overlaps(b, entry.buffers[other]));
  }

  void use(std::vector<int> &used, int index) {
    const auto at = std::find(used.begin(), used.end(), index);
    add(firstNumber + (at - used.begin()));
    if (at == used.end()) used.push_back(index);
  }

  static constexpr int firstNumber = firstLoopVariable; // so that no variable looks like a run-time size
  const Entry &entry;
  std::vector<int> variables, registers; // those used, in order of first use
};

/// Kernels with one key.
struct Alike {
  std::vector<KernelIndex> kernels;
  std::vector<std::vector<int>> buffers, scalars; // of each kernel
};

} // namespace

SharedKernels::SharedKernels(const Program &program) {
  std::unordered_map<std::string, std::size_t> known;
  std::vector<Alike> all;
  for (std::size_t e = 0; e < program.entries.size(); ++e) {
    const Entry &entry = program.entries[e];
    kernels.emplace_back(entry.kernels.size());
    for (std::size_t k = 0; k < entry.kernels.size(); ++k) {
      CodeKey key(entry, entry.kernels[k]);
      const auto [at, isNew] = known.try_emplace(std::move(key.words), all.size());
      if (isNew) all.emplace_back();
      Alike &alike = all[at->second];
      alike.kernels.push_back({static_cast<int>(e), static_cast<int>(k)});
      alike.buffers.push_back(std::move(key.buffers));
      alike.scalars.push_back(std::move(key.scalars));
    }
  }
  for (const Alike &alike : all) {
    const KernelIndex function = alike.kernels.front();
    PlacesRead read;
    std::vector<std::vector<std::int64_t>> places(alike.kernels.size());
    // For each buffer or scalar `i` in order of use: `of(k)` is its place in kernel k.
    const auto compare = [&](int index, std::map<int, int> &positions, const auto &of) {
      bool differs = false;
      for (std::size_t k = 1; k < alike.kernels.size(); ++k) differs |= of(k) != of(0);
      if (!differs) return;
      positions[index] = static_cast<int>(places[0].size());
      for (std::size_t k = 0; k < alike.kernels.size(); ++k) places[k].push_back(of(k));
    };
    for (std::size_t i = 0; i < alike.buffers[0].size(); ++i)
      compare(alike.buffers[0][i], read.buffers,
              [&](std::size_t k) { return program.entries[alike.kernels[k].entry].buffers[alike.buffers[k][i]].place; });
    for (std::size_t i = 0; i < alike.scalars[0].size(); ++i)
      compare(alike.scalars[0][i], read.scalars, [&](std::size_t k) { return std::int64_t{alike.scalars[k][i]}; });
    for (std::size_t k = 0; k < alike.kernels.size(); ++k)
      kernels[alike.kernels[k].entry][alike.kernels[k].kernel] = {function, {}, std::move(places[k])};
    kernels[function.entry][function.kernel].read = std::move(read);
  }
}

std::vector<SharedKernels> sharedKernels(const std::vector<Program> &programs) {
  std::vector<SharedKernels> all(programs.size());
  inParallel(programs.size(), [&](std::size_t i) { all[i] = SharedKernels(programs[i]); });
  return all;
}

KernelIndex SharedKernels::functionOf(KernelIndex k) const { return at(k).function; }
const PlacesRead &SharedKernels::placesRead(KernelIndex k) const { return at(k).read; }
const std::vector<std::int64_t> &SharedKernels::places(KernelIndex k) const { return at(k).places; }

} // namespace netc::codegen
