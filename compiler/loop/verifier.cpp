#include "compiler/loop/verifier.h"

#include "compiler/loop/kernel_verifier.h"

#include <fmt/format.h>

#include <unordered_set>

namespace netc::loop {

namespace {

class ProgramVerifier {
public:
  ProgramVerifier(const Program &p, Diagnostics &diag) : p(p), diag(diag) {}

  void verify() {
    if (p.batch < 1) error(fmt::format("batch is {}, expected at least 1", p.batch));
    std::unordered_set<std::string> names;
    for (const Tensor &t : p.tensors) {
      if (!names.insert(t.name).second) error(fmt::format("tensor {} is declared twice", t.name));
      verifyTensor(t);
    }
    names.clear();
    for (const Entry &e : p.entries) {
      if (!names.insert(e.name).second) error(fmt::format("entry {} is declared twice", e.name));
      verifyEntry(e);
    }
  }

private:
  void error(std::string message) { diag.error({}, std::move(message)); }

  void verifyTensor(const Tensor &t) {
    const bool stored = t.role == Tensor::Role::Param || t.role == Tensor::Role::State;
    if (t.batch && (stored || t.shape.empty() || t.shape[0] != p.batch))
      error(fmt::format("tensor {}: only inputs and targets have N rows, {} as planned", t.name, p.batch));
    if (!stored) return;
    std::int64_t bytes = byteSize(t.type);
    for (const std::int64_t d : t.shape) bytes *= d;
    if (t.store < 0 || t.store % 64 != 0 || t.store + bytes > p.storeBytes)
      error(fmt::format("tensor {}: bytes {} to {} of the store, expected a multiple of 64 within {} bytes", t.name,
                        t.store, t.store + bytes, p.storeBytes));
  }

  void verifyEntry(const Entry &e) {
    where = fmt::format("entry {}", e.name);
    if (e.commit < 0 || e.commit > static_cast<int>(e.kernels.size()))
      error(fmt::format("{}: commit is {}, expected 0 to {}", where, e.commit, e.kernels.size()));
    const bool sums = e.name == "accumulate";
    if (sums ? e.every < -1 || e.every == 0 : e.every != 0)
      error(fmt::format("{}: says every {}, expected {}", where, e.every, sums ? "1 or more, or epoch" : "nothing"));
    if (sums && !p.entry("apply")) error(fmt::format("{}: expected an entry apply beside it", where));
    std::unordered_set<std::string> names;
    for (const RuntimeScalar &s : e.scalars)
      if (!names.insert(s.name).second) error(fmt::format("{}: scalar {} is declared twice", where, s.name));
    names.clear();
    for (const Result &r : e.results) {
      if (!names.insert(r.name).second) error(fmt::format("{}: result {} is declared twice", where, r.name));
      if (r.batch && (r.shape.empty() || r.shape[0] != p.batch))
        error(fmt::format("{}: result {} has N rows, expected {} as planned", where, r.name, p.batch));
    }
    names.clear();
    for (const Buffer &b : e.buffers) {
      if (!names.insert(b.name).second) error(fmt::format("{}: buffer {} is declared twice", where, b.name));
      verifyBuffer(e, b);
    }
    names.clear();
    for (std::size_t i = 0; i < e.kernels.size(); ++i) {
      if (!names.insert(e.kernels[i].name).second)
        error(fmt::format("{}: kernel {} is declared twice", where, e.kernels[i].name));
      verifyKernel(p, e, static_cast<int>(i), diag);
    }
  }

  void verifyBuffer(const Entry &e, const Buffer &b) {
    const auto fail = [&](std::string what) { error(fmt::format("{}: buffer {} {}", where, b.name, what)); };
    if (b.size < 0) return fail(fmt::format("has {} elements", b.size));
    switch (b.space) {
    case Space::Constant:
      if (static_cast<std::int64_t>(b.values.size()) != b.size)
        fail(fmt::format("has {} values, expected {}", b.values.size(), b.size));
      return;
    case Space::Store: return verifyPlace(b, p.storeBytes, "store");
    case Space::Workspace: return verifyPlace(b, e.workspaceBytes, "workspace");
    case Space::Input: return verifySlot(b, inputSlots(p), "input");
    case Space::Output: return verifySlot(b, outputSlots(e), "output");
    }
  }

  void verifyPlace(const Buffer &b, std::int64_t bytes, const char *space) {
    const std::int64_t end = b.place + b.size * byteSize(b.type);
    if (b.place % 64 != 0)
      error(fmt::format("{}: buffer {} is at byte {}, expected a multiple of 64", where, b.name, b.place));
    if (b.place < 0 || end > bytes)
      error(fmt::format("{}: buffer {} is at bytes {} to {}, but the {} has {}", where, b.name, b.place, end, space,
                        bytes));
  }

  void verifySlot(const Buffer &b, const std::vector<Slot> &slots, const char *what) {
    const auto fail = [&](std::string text) { error(fmt::format("{}: buffer {} {}", where, b.name, text)); };
    if (b.place < 0 || b.place >= static_cast<std::int64_t>(slots.size()))
      return fail(fmt::format("is {} {}, but there are {}", what, b.place, slots.size()));
    const Slot &s = slots[b.place];
    if (b.type != s.type) fail(fmt::format("is {}, but {} is {}", name(b.type), s.name, name(s.type)));
    if (b.size != s.elements) fail(fmt::format("has {} elements, but {} has {}", b.size, s.name, s.elements));
  }

  const Program &p;
  Diagnostics &diag;
  std::string where;
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
