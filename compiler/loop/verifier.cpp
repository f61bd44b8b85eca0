#include "compiler/loop/verifier.h"

#include "compiler/loop/kernel_verifier.h"
#include "compiler/support/entry_name.h"
#include "compiler/support/in_parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <unordered_set>
#include <utility>

namespace netc::loop {

namespace {

class ProgramVerifier {
public:
  ProgramVerifier(const Program &p, Diagnostics &diag) : p(p), diag(diag) {}

  void verify() {
    if (p.batch < 1) error({}, fmt::format("batch is {}, expected at least 1", p.batch));
    std::unordered_set<std::string> names;
    for (const Tensor &t : p.tensors) {
      if (names.insert(t.name).second) verifyTensor(t);
      else error(t.location, fmt::format("tensor {} is declared twice", t.name));
    }
    names.clear();
    for (const Entry &e : p.entries) {
      if (!names.insert(e.name).second) error(e.location, fmt::format("entry {} is declared twice", e.name));
      verifyEntry(e);
    }
  }

private:
  void error(const Location &at, std::string message) { diag.error(at, std::move(message)); }

  void verifyTensor(const Tensor &t) {
    const bool stored = t.role == Tensor::Role::Param || t.role == Tensor::Role::State;
    if (t.batch && (stored || t.shape.empty() || t.shape[0] != p.batch))
      return error(t.location, fmt::format("tensor {}: only inputs and targets have N rows, {} as planned", t.name, p.batch));
    if (!stored) return;
    std::int64_t bytes = byteSize(t.type);
    for (const std::int64_t d : t.shape) bytes *= d;
    if (t.store < 0 || t.store % 64 != 0 || t.store + bytes > p.storeBytes)
      error(t.location, fmt::format("tensor {}: bytes {} to {} of the store, expected a multiple of 64 within {} bytes",
                                    t.name, t.store, t.store + bytes, p.storeBytes));
    for (auto d = t.blocked.begin(); d != t.blocked.end(); ++d)
      if (*d < 0 || *d >= static_cast<int>(t.shape.size()) || t.shape[static_cast<std::size_t>(*d)] % lanes != 0 ||
          std::count(t.blocked.begin(), d, *d) > 0)
        error(t.location, fmt::format("tensor {}: cannot be blocked by dimension {}", t.name, *d));
    const std::int64_t elements = bytes / byteSize(t.type), given = static_cast<std::int64_t>(t.values.size());
    if (t.init == Tensor::Init::Values && given != elements)
      error(t.location, fmt::format("tensor {}: has {} values, expected {}", t.name, given, elements));
  }

  void verifyEntry(const Entry &e) {
    where = fmt::format("entry {}", e.name);
    if (e.commit < 0 || e.commit > static_cast<int>(e.kernels.size()))
      error(e.location, fmt::format("{}: commit is {}, expected 0 to {}", where, e.commit, e.kernels.size()));
    const bool sums = roleOf(e.name) == "accumulate";
    if (sums ? e.every < -1 || e.every == 0 : e.every != 0)
      error(e.location, fmt::format("{}: says every {}, expected {}", where, e.every, sums ? "1 or more, or epoch" : "nothing"));
    const std::string update = besides(e.name, "apply");
    if (sums && !p.entry(update)) error(e.location, fmt::format("{}: expected an entry {} beside it", where, update));
    std::unordered_set<std::string> names;
    for (const RuntimeScalar &s : e.scalars)
      if (!names.insert(s.name).second) error(e.location, fmt::format("{}: scalar {} is declared twice", where, s.name));
    names.clear();
    for (const Result &r : e.results) {
      if (!names.insert(r.name).second) error(r.location, fmt::format("{}: result {} is declared twice", where, r.name));
      else if (r.batch && (r.shape.empty() || r.shape[0] != p.batch))
        error(r.location, fmt::format("{}: result {} has N rows, expected {} as planned", where, r.name, p.batch));
    }
    names.clear();
    std::set<int> doubted;
    for (std::size_t b = 0; b < e.buffers.size(); ++b) {
      const bool first = names.insert(e.buffers[b].name).second;
      const std::string fault = first ? faultOf(e, e.buffers[b]) : "is declared twice";
      if (fault.empty()) continue;
      doubted.insert(static_cast<int>(b));
      if (!first || isNews(e, e.buffers[b]))
        error(e.buffers[b].location, fmt::format("{}: buffer {} {}", where, e.buffers[b].name, fault));
    }
    names.clear();
    const bool sound = areSound(e, doubted);
    for (std::size_t i = 0; i < e.kernels.size(); ++i) {
      if (!names.insert(e.kernels[i].name).second)
        error(e.kernels[i].location, fmt::format("{}: kernel {} is declared twice", where, e.kernels[i].name));
      if (!sound) verifyKernel(p, e, static_cast<int>(i), doubted, diag);
    }
  }

  /// All kernels at once; reports build on each other, so they are made in order.
  bool areSound(const Entry &e, const std::set<int> &doubted) const {
    std::atomic<bool> sound = true;
    onAllProcessors(e.kernels.size(), [&](std::size_t i) {
      std::set<int> own = doubted;
      Diagnostics found;
      verifyKernel(p, e, static_cast<int>(i), own, found);
      if (!found.entries().empty()) sound = false;
    });
    return sound;
  }

  /// What is wrong with the buffer's declaration; empty: nothing.
  std::string faultOf(const Entry &e, const Buffer &b) const {
    if (b.size < 0) return fmt::format("has {} elements", b.size);
    switch (b.space) {
    case Space::Constant:
      if (static_cast<std::int64_t>(b.values.size()) == b.size) return {};
      return fmt::format("has {} values, expected {}", b.values.size(), b.size);
    case Space::Store: return placeFault(b, p.storeBytes, "store");
    case Space::Workspace: return placeFault(b, e.sharedBytes(), "workspace");
    case Space::Part: return placeFault(b, e.partBytes, "part");
    case Space::Input: return slotFault(b, inputSlots(p), "input");
    case Space::Output: return slotFault(b, outputSlots(e), "output");
    }
    return {};
  }

  /// A slot that disagrees with its buffer is the same tensor in all entries; one that has other rows, the batch.
  bool isNews(const Entry &e, const Buffer &b) {
    if (b.space != Space::Input && b.space != Space::Output) return true;
    const std::vector<Slot> slots = b.space == Space::Input ? inputSlots(p) : outputSlots(e);
    if (b.place < 0 || b.place >= static_cast<std::int64_t>(slots.size())) return true;
    const Slot &s = slots[b.place];
    if (b.type == s.type && s.row > 0 && b.size % s.row == 0) return !std::exchange(doubtsBatch, true);
    return b.space == Space::Output || doubtedInputs.insert(s.name).second;
  }

  static std::string placeFault(const Buffer &b, std::int64_t bytes, const char *space) {
    const std::int64_t end = b.place + b.size * byteSize(b.type);
    if (b.place % 64 != 0) return fmt::format("is at byte {}, expected a multiple of 64", b.place);
    if (b.place >= 0 && end <= bytes) return {};
    return fmt::format("is at bytes {} to {}, but the {} has {}", b.place, end, space, bytes);
  }

  static std::string slotFault(const Buffer &b, const std::vector<Slot> &slots, const char *what) {
    if (b.place < 0 || b.place >= static_cast<std::int64_t>(slots.size()))
      return fmt::format("is {} {}, but there are {}", what, b.place, slots.size());
    const Slot &s = slots[b.place];
    if (b.type != s.type) return fmt::format("is {}, but {} is {}", name(b.type), s.name, name(s.type));
    if (b.size != s.elements) return fmt::format("has {} elements, but {} has {}", b.size, s.name, s.elements);
    return {};
  }

  const Program &p;
  Diagnostics &diag;
  std::string where;
  std::set<std::string> doubtedInputs;
  bool doubtsBatch = false;
};

Slot slotOf(const std::string &name, DType type, const std::vector<std::int64_t> &shape, bool batch) {
  Slot s{name, type, 1, 0};
  for (const std::int64_t d : shape) s.elements *= d;
  if (batch && !shape.empty() && shape[0] > 0) s.row = s.elements / shape[0];
  return s;
}

} // namespace

std::vector<Slot> inputSlots(const Program &p) {
  std::vector<Slot> slots;
  for (const Tensor::Role role : {Tensor::Role::Input, Tensor::Role::Target})
    for (const Tensor &t : p.tensors)
      if (t.role == role) slots.push_back(slotOf(t.name, t.type, t.shape, t.batch));
  return slots;
}

std::vector<Slot> outputSlots(const Entry &e) {
  std::vector<Slot> slots;
  for (const Result &r : e.results) slots.push_back(slotOf(r.name, r.type, r.shape, r.batch));
  return slots;
}

bool verify(const Program &p, Diagnostics &diag) {
  const int before = diag.errorCount();
  ProgramVerifier(p, diag).verify();
  return diag.errorCount() == before;
}

} // namespace netc::loop
