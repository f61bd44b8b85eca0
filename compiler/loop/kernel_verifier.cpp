#include "compiler/loop/kernel_verifier.h"

#include "compiler/loop/bounds.h"
#include "compiler/loop/walk.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <unordered_set>
#include <utility>

namespace netc::loop {

namespace {

constexpr int mostErrors = 20; // of one kernel

using Words = FunctionRef<std::string()>; // what a message speaks of; asked for when there is one

/// What a function takes: the types that its arguments may have, and whether the first two must agree.
bool acceptsType(Signature s, std::size_t argument, DType type) {
  switch (s) {
  case Signature::Real:
  case Signature::RealToInt: return type == DType::F32;
  case Signature::Compare: return type == DType::F32 || type == DType::I32;
  case Signature::Choose: return argument == 0 ? type == DType::Bool : true;
  case Signature::Logic: return type == DType::Bool;
  case Signature::Integer:
  case Signature::IntToReal: return type == DType::I32;
  }
  return false;
}

const char *expectedType(Signature s, std::size_t argument) {
  switch (s) {
  case Signature::Real:
  case Signature::RealToInt: return "f32";
  case Signature::Compare: return "f32 or i32";
  case Signature::Choose: return argument == 0 ? "bool" : "any type";
  case Signature::Logic: return "bool";
  case Signature::Integer:
  case Signature::IntToReal: return "i32";
  }
  return "";
}

class KernelVerifier {
public:
  KernelVerifier(const Program &p, const Entry &e, int number, std::set<int> &doubtedBuffers, Diagnostics &diag)
      : e(e), batch(p.batch), k(e.kernels[number]), beforeCommit(number < e.commit), diag(diag), at(&k.location),
        doubtedBuffers(doubtedBuffers), bounds(k, p.batch),
        inScope(k.variables.size(), false), inputs(inputSlots(p)), outputs(outputSlots(e)) {}

  void verify() {
    if (!verifyHead()) return;
    if (k.depthFirst) verifyChain();
    verifyBlock(k.body);
  }

private:
  // --- reports ---
  /// Once a statement.
  void error(const std::string &what) {
    if (std::exchange(reported, true) || ++errors > mostErrors) return;
    const std::string place = statement ? std::visit([&](const auto &n) { return placeOf(n); }, statement->node) : "";
    diag.error(*at, fmt::format("entry {}, kernel {}: {}{}", e.name, k.name, place.empty() ? "" : place + ": ", what));
  }
  void begin(const Location &place, const Statement *s = nullptr) {
    at = place.known() ? &place : &k.location;
    statement = s;
    reported = false;
  }
  std::string placeOf(const Compute &n) const { return n.op ? std::string(row(*n.op).name) : ""; }
  std::string placeOf(const Reduce &) const { return "reduce"; }
  std::string placeOf(const LaneIndex &) const { return "lanes"; }
  std::string placeOf(const LaneMask &) const { return "mask"; }
  std::string placeOf(const Load &n) const { return placeOf("load", n.buffer, n.address); }
  std::string placeOf(const Store &n) const { return placeOf("store", n.buffer, n.address); }
  std::string placeOf(const char *what, int buffer, const Affine &address) const {
    return isBuffer(buffer) ? fmt::format("{} {}[{}]", what, e.buffers[buffer].name, str(address)) : "";
  }
  std::string placeOf(const For &n) const { return isLoopVariable(n.var) ? "for " + k.variables[n.var] : "for"; }
  std::string placeOf(const If &) const { return "if"; }
  std::string str(const Affine &a) const {
    return a.str([&](int v) {
      return v >= 0 && v < static_cast<int>(k.variables.size()) ? k.variables[v] : fmt::format("variable {}", v);
    });
  }
  std::string str(const RegisterRef &r) const {
    std::string s = k.registers[r.reg].name;
    for (const Affine &i : r.index) s += "[" + str(i) + "]";
    return s;
  }

  // --- 1: names ---
  bool verifyHead() {
    const int before = errors;
    if (k.variables.size() < firstLoopVariable) {
      error(fmt::format("has {} variables, expected count, blocks, fullBlocks and turn first", k.variables.size()));
      return false;
    }
    for (int v = 0; v < firstLoopVariable; ++v) inScope[v] = true;
    verifyAffine(k.parallelExtent, [] { return "the parallel extent"; });
    if (k.parallelExtent.uses(Turn)) error("the parallel extent differs from turn to turn");
    if (k.turns < 0 || k.turns > batch) error(fmt::format("takes {} turns, expected 1 to {}, the batch", k.turns, batch));
    if (k.parallel >= static_cast<int>(k.variables.size()) || (k.parallel >= 0 && k.parallel < firstLoopVariable)) {
      error(fmt::format("variable {} is no parallel variable", k.parallel));
      return false;
    }
    if (k.parallel >= 0) inScope[k.parallel] = true;
    std::unordered_set<std::string_view> names;
    for (const Register &r : k.registers) {
      begin(r.location);
      if (!names.insert(r.name).second) error(fmt::format("register {} is declared twice", r.name));
      if (r.type == DType::U8) error(fmt::format("register {} is u8, expected f32, i32 or bool", r.name));
      for (const std::int64_t d : r.dims)
        if (d < 1 || d > 4096) error(fmt::format("register {} has extent {}, expected 1 to 4096", r.name, d));
    }
    begin(k.location);
    return errors == before;
  }

  /// 8
  void verifyChain() {
    const std::size_t next = static_cast<std::size_t>(&k - e.kernels.data()) + 1;
    if (next >= e.kernels.size()) return error("a next kernel is expected after `then`");
    const Kernel &follower = e.kernels[next];
    if (follower.turns != k.turns)
      error(fmt::format("takes {} turns with {}, which takes {}", k.turns, follower.name, follower.turns));
    else if (k.turns == 0 && (follower.parallel < 0 || !(follower.parallelExtent == k.parallelExtent)))
      error(fmt::format("runs depth first with {}, which must have the parallel extent {}", follower.name,
                        str(k.parallelExtent)));
    if (static_cast<int>(next) == e.commit)
      error(fmt::format("runs depth first with {}, but the commit stands between them", follower.name));
  }

  /// 3: every variable is that of a loop around.
  bool verifyAffine(const Affine &a, Words what) {
    for (auto &[v, c] : a.terms()) {
      if (v < 0 || v >= static_cast<int>(inScope.size())) {
        error(fmt::format("{} uses variable {}, which does not exist", what(), v));
        return false;
      }
      if (!inScope[v]) {
        error(fmt::format("{} uses {} outside of its loop", what(), k.variables[v]));
        return false;
      }
    }
    return true;
  }

  void verifyBlock(const Block &block) {
    for (const StatementPtr &s : block) {
      if (errors > mostErrors) return;
      begin(s->location, s.get());
      std::visit([&](const auto &n) { verifyNode(n); }, s->node);
    }
  }

  // --- registers and operands ---
  /// 4: the register exists, with one index for each dimension, each in range. False for one in doubt, too.
  bool verifyRegister(const RegisterRef &r) {
    if (r.reg < 0 || r.reg >= static_cast<int>(k.registers.size())) {
      error(fmt::format("register {} does not exist", r.reg));
      return false;
    }
    if (doubtedRegisters.contains(r.reg)) return false;
    const Register &declared = k.registers[r.reg];
    if (r.index.size() != declared.dims.size()) {
      doubt(r.reg);
      error(fmt::format("register {} has {} indices, expected {}", declared.name, r.index.size(), declared.dims.size()));
      return false;
    }
    for (std::size_t d = 0; d < r.index.size(); ++d) {
      if (!verifyAffine(r.index[d], [&] { return fmt::format("an index of register {}", declared.name); })) return false;
      if (holds(r.index[d]) && holds(Affine(declared.dims[d] - 1) - r.index[d])) continue;
      doubt(r.reg);
      error(fmt::format("{}: index {} is not always within 0 to {}", str(r), str(r.index[d]), declared.dims[d] - 1));
    }
    return true;
  }

  bool holds(const Affine &a) const { // >= 0
    return bounds.nonNegative(a) || bounds.nonNegativeByTrying(a).value_or(false);
  }

  /// What it was loaded from may be the mistake, too.
  void doubt(int reg) {
    doubtedRegisters.insert(reg);
    if (const auto found = loadedFrom.find(reg); found != loadedFrom.end()) doubtedBuffers.insert(found->second);
  }
  void doubt(const Operand &o) {
    if (o.kind == Operand::Kind::Register) doubt(o.reg.reg);
  }

  /// Its type, if it is beyond doubt.
  std::optional<DType> verifyOperand(const Operand &o) {
    if (o.kind == Operand::Kind::Register && !verifyRegister(o.reg)) return std::nullopt;
    if (o.kind == Operand::Kind::Scalar && (o.scalar < 0 || o.scalar >= static_cast<int>(e.scalars.size()))) {
      error(fmt::format("scalar {} does not exist", o.scalar));
      return std::nullopt;
    }
    if (o.kind == Operand::Kind::Scalar && o.type != typeOf(e.scalars[o.scalar].program)) {
      error(fmt::format("@{} is {}, expected {}", e.scalars[o.scalar].name, name(o.type),
                        name(typeOf(e.scalars[o.scalar].program))));
      return std::nullopt;
    }
    return operandType(k, o);
  }

  void expectDestination(const RegisterRef &dst, std::optional<DType> type) {
    if (!verifyRegister(dst)) return;
    const Register &r = k.registers[dst.reg];
    if (type == r.type) return;
    doubt(dst.reg);
    if (type) error(fmt::format("{} is {}, but gets {}", str(dst), name(r.type), name(*type)));
  }

  // --- 2: operations ---
  void verifyNode(const Compute &n) {
    std::vector<std::optional<DType>> types;
    for (const Operand &a : n.args) types.push_back(verifyOperand(a));
    const std::size_t arity = n.op ? row(*n.op).arity : 1;
    if (n.op && !isPrimitive(*n.op)) return error("no primitive of the loop IR");
    if (n.args.size() != arity) return error(fmt::format("{} arguments, expected {}", n.args.size(), arity));
    if (!n.op) return expectDestination(n.dst, types[0]);
    const Signature signature = row(*n.op).signature;
    for (std::size_t i = 0; i < arity; ++i) {
      if (!types[i] || acceptsType(signature, i, *types[i])) continue;
      doubt(n.args[i]);
      error(fmt::format("argument {} is {}, expected {}", i + 1, name(*types[i]), expectedType(signature, i)));
    }
    const std::size_t first = signature == Signature::Choose ? 1 : 0;
    const bool same = signature == Signature::Compare || signature == Signature::Choose;
    if (same && types[first] && types[first + 1] && *types[first] != *types[first + 1]) {
      doubt(n.args[first]), doubt(n.args[first + 1]);
      error(fmt::format("arguments {} and {} are {} and {}, expected equal types", first + 1, first + 2,
                        name(*types[first]), name(*types[first + 1])));
      types[first].reset();
    }
    if (*n.op == Fn::Shl || *n.op == Fn::Shr) verifyShift(n.args[1]);
    const bool unknown = signature == Signature::Choose && !types[first];
    expectDestination(n.dst, unknown ? std::nullopt : resultType(k, n));
  }

  void verifyShift(const Operand &count) {
    if (count.kind != Operand::Kind::Constant || count.value < 0 || count.value > 31)
      error("the shift count must be a constant from 0 to 31");
  }

  void verifyNode(const Reduce &n) {
    const auto type = verifyOperand(n.src);
    if (type == DType::Bool) error("the operand is bool, expected f32 or i32");
    expectDestination(n.dst, type);
  }
  void verifyNode(const LaneIndex &n) {
    verifyAffine(n.base, [] { return "the base"; });
    expectDestination(n.dst, DType::I32);
  }
  void verifyNode(const LaneMask &n) {
    verifyAffine(n.active, [] { return "the number of lanes"; });
    expectDestination(n.dst, DType::Bool);
  }

  // --- 5, 6: memory ---
  void verifyNode(const Load &n) {
    if (!verifyBuffer(n.buffer)) return expectDestination(n.dst, std::nullopt);
    const Buffer &b = e.buffers[n.buffer];
    verifyAddress(n.buffer, n.address, n.stride, n.active);
    loadedFrom[n.dst.reg] = n.buffer;
    expectDestination(n.dst, registerType(b.type));
  }

  void verifyNode(const Store &n) {
    if (!verifyBuffer(n.buffer)) return;
    const Buffer &b = e.buffers[n.buffer];
    if (b.space == Space::Constant || b.space == Space::Input)
      error(fmt::format("{} are never stored to", b.space == Space::Input ? "inputs" : "constants"));
    if (b.space == Space::Store && beforeCommit)
      error(fmt::format("kernels before number {} (commit) do not write the store", e.commit));
    if (n.stride == 0) error("a store with stride 0");
    const auto type = verifyOperand(n.value);
    if (type && *type != registerType(b.type)) {
      doubt(n.value), doubtedBuffers.insert(n.buffer);
      error(fmt::format("the value is {}, expected {}", name(*type), name(registerType(b.type))));
    }
    verifyAddress(n.buffer, n.address, n.stride, n.active);
  }

  bool isBuffer(int b) const { return b >= 0 && b < static_cast<int>(e.buffers.size()); }

  /// False for a buffer in doubt, too.
  bool verifyBuffer(int b) {
    if (isBuffer(b)) return !doubtedBuffers.contains(b);
    error(fmt::format("buffer {} does not exist", b));
    return false;
  }

  void verifyAddress(int buffer, const Affine &address, std::int64_t stride, const std::optional<Affine> &active) {
    if (!verifyAffine(address, [] { return "the address"; })) return;
    if (active && !verifyAffine(*active, [] { return "the number of lanes"; })) return;
    for (auto &[v, c] : address.terms())
      if (doubtedVariables.contains(v)) return;
    if (active) bounds.enter(std::vector<Affine>{*active - 1}); // else nothing is touched
    // The element of the last lane; with `active` the last lane is whichever of the two comes first.
    std::vector<Affine> last{address + stride * (lanes - 1)};
    if (active) last.push_back(address + (*active - 1) * stride);
    const Affine end = size(e.buffers[buffer]);
    const auto anyHolds = [&](const auto &distance) {
      if (std::any_of(last.begin(), last.end(), [&](const Affine &l) { return bounds.nonNegative(distance(l)); }))
        return true;
      return lanesHold(address, stride, active, distance);
    };
    const auto above = [](const Affine &a) { return a; };
    const auto below = [&](const Affine &a) { return end - a - 1; };
    const bool up = stride >= 0;
    const bool low = up ? holds(address) : anyHolds(above);
    const bool high = up ? anyHolds(below) : holds(below(address));
    if (active) bounds.leave();
    if (low && high) return;
    doubtedBuffers.insert(buffer);
    for (auto &[v, c] : address.terms()) // the loop's bounds may be the mistake
      if (v >= firstLoopVariable && v != k.parallel) doubtedVariables.insert(v);
    if (!low) error(fmt::format("not always at element 0 or above{}", suffix(stride, active)));
    if (!high) error(fmt::format("not always within {} elements{}", str(end), suffix(stride, active)));
  }

  /// Each lane by itself, where it is active.
  template <class Distance>
  bool lanesHold(const Affine &address, std::int64_t stride, const std::optional<Affine> &active, Distance distance) {
    for (int l = 0; l < lanes; ++l) {
      if (active) bounds.enter(std::vector<Affine>{*active - (l + 1)});
      const bool good = holds(distance(address + stride * l));
      if (active) bounds.leave();
      if (!good) return false;
    }
    return true;
  }

  std::string suffix(std::int64_t stride, const std::optional<Affine> &active) const {
    return fmt::format(" (stride {}{})", stride, active ? ", active " + str(*active) : "");
  }

  /// The elements that may be touched: the caller passes `count` rows.
  Affine size(const Buffer &b) const {
    const std::vector<Slot> *slots = b.space == Space::Input    ? &inputs
                                     : b.space == Space::Output ? &outputs
                                                                : nullptr;
    if (slots && b.place >= 0 && b.place < static_cast<std::int64_t>(slots->size()) && (*slots)[b.place].row > 0)
      return Affine::var(Count, (*slots)[b.place].row);
    return b.size;
  }

  // --- 3: loops ---
  bool isLoopVariable(int v) const { return v >= firstLoopVariable && v < static_cast<int>(inScope.size()); }

  void verifyNode(const For &n) {
    if (!isLoopVariable(n.var)) return error(fmt::format("variable {} cannot be a loop's", n.var));
    if (n.step < 1) return error(fmt::format("step {}, expected 1 or more", n.step));
    if (n.lower.empty() || n.upper.empty()) return error("a loop without bounds");
    bool good = true;
    for (const Affine &a : n.lower) good &= verifyAffine(a, [] { return "the lower bound"; });
    for (const Affine &a : n.upper) good &= verifyAffine(a, [] { return "the upper bound"; });
    if (inScope[n.var]) return error("a loop around has the same variable");
    if (!good || bounds.neverRuns(n)) return; // what never runs touches nothing
    inScope[n.var] = true;
    bounds.enter(n);
    verifyBlock(n.body);
    bounds.leave();
    inScope[n.var] = false;
    doubtedVariables.erase(n.var);
  }

  void verifyNode(const If &n) {
    bool good = true;
    for (const Affine &c : n.conditions) good &= verifyAffine(c, [] { return "the condition"; });
    if (!good) return;
    for (const Affine &c : n.conditions)
      if (bounds.negative(c)) return; // what never runs touches nothing
    bounds.enter(n.conditions);
    verifyBlock(n.body);
    bounds.leave();
  }

  const Entry &e;
  const std::int64_t batch;
  const Kernel &k;
  const bool beforeCommit;
  Diagnostics &diag;
  const Location *at;                   // of what is looked at
  const Statement *statement = nullptr; // that, if it is one
  bool reported = false;                // it has been
  int errors = 0;
  std::set<int> &doubtedBuffers; // of which a report has spoken
  std::set<int> doubtedRegisters, doubtedVariables;
  std::map<int, int> loadedFrom; // register, buffer
  Bounds bounds;
  std::vector<bool> inScope; // by variable
  std::vector<Slot> inputs, outputs;
};

} // namespace

void verifyKernel(const Program &p, const Entry &e, int kernel, std::set<int> &doubted, Diagnostics &diag) {
  KernelVerifier(p, e, kernel, doubted, diag).verify();
}

} // namespace netc::loop
