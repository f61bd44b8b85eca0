// Runs kernels on memory that remembers what was written and by whom. The interpreter's engine.
#pragma once

#include "compiler/loop/lane_operations.h"

#include <memory>
#include <set>
#include <span>

namespace netc::loop {

/// A piece of memory that buffers lie in: the store, the workspace, an input, an output or a constant.
struct Area {
  std::uint8_t *bytes = nullptr;
  std::int64_t size = 0;
  std::vector<std::uint8_t> written; // by byte, 1 once written; empty: all of it always is
  struct Access {                    // of the element that begins at a byte
    std::uint32_t kernel = 0;        // which run of a kernel the rest is about
    std::int32_t writer = -1, reader = -1;
  };
  std::vector<Access> access; // by byte; empty: never written to
};

/// Where an entry's buffers lie.
struct BufferPlace {
  Area *area = nullptr;
  std::int64_t offset = 0;
  std::int64_t limit = 0; // elements that may be touched
};

/// At most 20 different findings.
class Findings {
public:
  /// `key` names the statement and the kind of problem: each is reported once.
  bool wanted(const void *statement, int kind);
  void add(std::string text) { list.push_back(std::move(text)); }
  std::vector<std::string> list;

private:
  std::set<std::pair<const void *, int>> seen;
};

/// A kernel made ready to run: registers are slots, affine expressions are lists of terms.
struct Linear {
  std::int64_t constant = 0;
  std::vector<std::pair<int, std::int64_t>> terms;
  std::int64_t at(const std::int64_t *value) const {
    std::int64_t r = constant;
    for (auto &[v, k] : terms) r += k * value[v];
    return r;
  }
};
struct Place { // a register, or a constant
  Linear slot;
  int first = 0, last = 0; // slots of its array: first <= slot < last
  const LaneValues *constant = nullptr;
  int reg = -1;
};
struct Code {
  enum class Kind { Move, Compute, Load, Store, LaneIndex, LaneMask, Reduce, For, If } kind = Kind::Move;
  const Statement *origin = nullptr;
  Fn op = Fn::Add;
  Reduce::Op reduce = Reduce::Op::Sum;
  bool integers = false;
  Place dst;
  std::vector<Place> args;
  int buffer = -1;
  Linear address; // or base of LaneIndex
  std::int64_t stride = 1;
  bool partial = false; // `active` counts
  Linear active;
  int var = -1;
  std::int64_t step = 1;
  std::vector<Linear> lower, upper; // If: conditions are `lower`
  std::vector<Code> body;
};

class Machine {
public:
  Machine(const Entry &entry, std::vector<BufferPlace> places, std::vector<std::uint32_t> scalars, std::int64_t count,
          Findings &findings, Area &part);
  /// Kernels that run depth first: each iteration of all of them, then the next. One kernel is the usual case.
  void run(std::span<const Kernel> chain, bool reverse, std::int64_t turn = 0);

private:
  struct Ready { // a kernel with what it needs to run
    const Kernel *kernel = nullptr;
    std::vector<int> firstSlot; // by register
    std::vector<Code> body;
  };
  // machine_prepare.cpp
  Ready prepare(const Kernel &);
  Code prepare(const Statement &);
  std::vector<Code> prepare(const Block &);
  Place place(const RegisterRef &);
  Place place(const Operand &);
  Linear linear(const Affine &) const;
  // machine.cpp
  void execute(const std::vector<Code> &);
  void execute(const Code &);
  void executeLoop(const Code &);
  void forgetPart();
  void load(const Code &);
  void store(const Code &);
  const LaneValues &read(const Code &, const Place &);
  LaneValues *write(const Code &, const Place &);
  int activeLanes(const Code &) const;
  bool inBounds(const Code &, const BufferPlace &, std::int64_t element, const char *verb);
  void noteRead(const Code &, const BufferPlace &, std::int64_t byte);
  void noteWrite(const Code &, const BufferPlace &, std::int64_t byte);
  void report(const Code &, int kind, const std::string &what);
  std::string iteration() const;

  const Entry &entry;
  std::vector<BufferPlace> places;
  std::vector<LaneValues> scalars;
  std::int64_t count;
  Findings &findings;
  Area &part;

  const Kernel *kernel = nullptr; // that runs or is prepared
  std::uint32_t serial = 0;       // of the chain run
  std::int32_t current = 0; // the parallel iteration
  bool watch = false;       // conflicts are possible
  std::vector<std::int64_t> value; // by variable
  std::vector<int> firstSlot;      // by register, of the kernel being prepared
  std::vector<LaneValues> slots;
  std::vector<std::uint8_t> defined;
  std::vector<std::unique_ptr<LaneValues>> constants;
};

} // namespace netc::loop
