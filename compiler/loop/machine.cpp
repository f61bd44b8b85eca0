#include "compiler/loop/machine.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>

namespace netc::loop {

namespace {

enum ProblemKind { RegisterRange, RegisterUnset, OutOfBounds, Uninitialised, Conflict };
constexpr std::int32_t severalReaders = -2;
const LaneValues zeros;

std::uint32_t readElement(const std::uint8_t *p, DType type) {
  if (byteSize(type) == 1) return *p;
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

void writeElement(std::uint8_t *p, DType type, std::uint32_t v) {
  if (byteSize(type) == 1) *p = static_cast<std::uint8_t>(v);
  else std::memcpy(p, &v, sizeof v);
}

} // namespace

bool Findings::wanted(const void *statement, int kind) {
  constexpr std::size_t most = 20;
  return list.size() < most && seen.insert({statement, kind}).second;
}

Machine::Machine(const Entry &entry, std::vector<BufferPlace> places, std::vector<std::uint32_t> values, std::int64_t count,
                 Findings &findings, Area &part)
    : entry(entry), places(std::move(places)), count(count), findings(findings), part(part) {
  for (const std::uint32_t bits : values) {
    LaneValues all;
    for (std::uint32_t &lane : all.bits) lane = bits;
    scalars.push_back(all);
  }
}

void Machine::run(std::span<const Kernel> chain, bool reverse, std::int64_t turn) {
  ++serial;
  constants.clear();
  std::vector<Ready> ready;
  for (const Kernel &k : chain) ready.push_back(prepare(k));
  value.assign(firstLoopVariable, 0);
  value[Count] = count;
  value[Blocks] = (count + lanes - 1) / lanes;
  value[FullBlocks] = count / lanes;
  value[Turn] = turn;
  const Kernel &first = chain.front();
  const std::int64_t iterations = first.parallel < 0 ? 1 : linear(first.parallelExtent).at(value.data());
  watch = iterations > 1;
  for (std::int64_t i = 0; i < iterations; ++i) {
    current = static_cast<std::int32_t>(reverse ? iterations - 1 - i : i);
    if (ready.size() > 1) forgetPart();
    for (const Ready &r : ready) {
      kernel = r.kernel;
      value.resize(std::max(value.size(), kernel->variables.size()));
      if (kernel->parallel >= 0) value[kernel->parallel] = current;
      slots.resize(r.firstSlot.back());
      defined.assign(slots.size(), 0);
      execute(r.body);
    }
  }
}

/// What another iteration left in a part is none of this one's business.
void Machine::forgetPart() {
  std::fill(part.written.begin(), part.written.end(), 0);
  std::fill(part.access.begin(), part.access.end(), Area::Access{});
}

void Machine::execute(const std::vector<Code> &block) {
  for (const Code &c : block) execute(c);
}

void Machine::execute(const Code &c) {
  switch (c.kind) {
  case Code::Kind::For: return executeLoop(c);
  case Code::Kind::If:
    for (const Linear &condition : c.lower)
      if (condition.at(value.data()) < 0) return;
    return execute(c.body);
  case Code::Kind::Load: return load(c);
  case Code::Kind::Store: return store(c);
  default: break;
  }
  const LaneValues *args[3] = {&zeros, &zeros, &zeros};
  for (std::size_t i = 0; i < c.args.size() && i < 3; ++i) args[i] = &read(c, c.args[i]);
  LaneValues *out = write(c, c.dst);
  if (!out) return;
  switch (c.kind) {
  case Code::Kind::Move: *out = *args[0]; return;
  case Code::Kind::Compute: return apply(c.op, c.integers, *args[0], *args[1], *args[2], *out);
  case Code::Kind::Reduce: return reduceLanes(c.reduce, c.integers, *args[0], *out);
  case Code::Kind::LaneIndex: {
    const std::int64_t base = c.address.at(value.data());
    for (int l = 0; l < lanes; ++l) out->bits[l] = static_cast<std::uint32_t>(base + c.stride * l);
    return;
  }
  case Code::Kind::LaneMask: {
    const int active = activeLanes(c);
    for (int l = 0; l < lanes; ++l) out->bits[l] = l < active ? 1 : 0;
    return;
  }
  default: return;
  }
}

void Machine::executeLoop(const Code &c) {
  std::int64_t begin = c.lower[0].at(value.data()), end = c.upper[0].at(value.data());
  for (const Linear &l : c.lower) begin = std::max(begin, l.at(value.data()));
  for (const Linear &u : c.upper) end = std::min(end, u.at(value.data()));
  for (std::int64_t v = begin; v < end; v += c.step) {
    value[c.var] = v;
    execute(c.body);
  }
}

int Machine::activeLanes(const Code &c) const {
  if (!c.partial) return lanes;
  return static_cast<int>(std::clamp<std::int64_t>(c.active.at(value.data()), 0, lanes));
}

const LaneValues &Machine::read(const Code &c, const Place &p) {
  if (p.constant) return *p.constant;
  const std::int64_t slot = p.slot.at(value.data());
  if (slot < p.first || slot >= p.last) {
    report(c, RegisterRange, fmt::format("register {} is read at {}, expected 0 to {}", kernel->registers[p.reg].name,
                                         slot - p.first, p.last - p.first - 1));
    return zeros;
  }
  if (!defined[slot]) {
    report(c, RegisterUnset,
           fmt::format("register {} is read before it has a value", kernel->registers[p.reg].name));
    defined[slot] = 1;
    slots[slot] = {};
  }
  return slots[slot];
}

LaneValues *Machine::write(const Code &c, const Place &p) {
  const std::int64_t slot = p.slot.at(value.data());
  if (slot < p.first || slot >= p.last) {
    report(c, RegisterRange, fmt::format("register {} is assigned at {}, expected 0 to {}",
                                         kernel->registers[p.reg].name, slot - p.first, p.last - p.first - 1));
    return nullptr;
  }
  defined[slot] = 1;
  return &slots[slot];
}

bool Machine::inBounds(const Code &c, const BufferPlace &p, std::int64_t element, const char *verb) {
  if (element >= 0 && element < p.limit) return true;
  report(c, OutOfBounds, fmt::format("{} {} at element {}, expected 0 to {}", entry.buffers[c.buffer].name, verb,
                                     element, p.limit - 1));
  return false;
}

void Machine::load(const Code &c) {
  const BufferPlace &p = places[c.buffer];
  const DType type = entry.buffers[c.buffer].type;
  const std::int64_t size = byteSize(type), first = c.address.at(value.data());
  const int active = activeLanes(c), distinct = c.stride == 0 ? std::min(active, 1) : active;
  LaneValues result;
  for (int l = 0; l < distinct; ++l) {
    const std::int64_t element = first + c.stride * l;
    if (!inBounds(c, p, element, "is read")) continue;
    const std::int64_t byte = p.offset + element * size;
    noteRead(c, p, byte);
    result.bits[l] = readElement(p.area->bytes + byte, type);
  }
  if (c.stride == 0)
    for (int l = 1; l < active; ++l) result.bits[l] = result.bits[0];
  if (LaneValues *out = write(c, c.dst)) *out = result;
}

void Machine::store(const Code &c) {
  const BufferPlace &p = places[c.buffer];
  const DType type = entry.buffers[c.buffer].type;
  const std::int64_t size = byteSize(type), first = c.address.at(value.data());
  const LaneValues &v = read(c, c.args[0]);
  const int active = activeLanes(c);
  for (int l = 0; l < active; ++l) {
    const std::int64_t element = first + c.stride * l;
    if (!inBounds(c, p, element, "is stored to")) continue;
    const std::int64_t byte = p.offset + element * size;
    noteWrite(c, p, byte);
    writeElement(p.area->bytes + byte, type, v.bits[l]);
  }
}

void Machine::noteRead(const Code &c, const BufferPlace &p, std::int64_t byte) {
  Area &a = *p.area;
  const Buffer &b = entry.buffers[c.buffer];
  if (!a.written.empty() && (!a.written[byte] || !a.written[byte + byteSize(b.type) - 1]))
    report(c, Uninitialised,
           fmt::format("{} is read at element {}, which nothing has written", b.name, (byte - p.offset) / byteSize(b.type)));
  if (!watch || a.access.empty()) return;
  Area::Access &seen = a.access[byte];
  if (seen.kernel != serial) seen = {serial, -1, -1};
  if (seen.writer >= 0 && seen.writer != current)
    report(c, Conflict, fmt::format("{} is read at element {}, which iteration {} writes", b.name,
                                    (byte - p.offset) / byteSize(b.type), seen.writer));
  seen.reader = seen.reader == -1 || seen.reader == current ? current : severalReaders;
}

void Machine::noteWrite(const Code &c, const BufferPlace &p, std::int64_t byte) {
  Area &a = *p.area;
  const Buffer &b = entry.buffers[c.buffer];
  if (!a.written.empty()) std::memset(&a.written[byte], 1, byteSize(b.type));
  if (!watch || a.access.empty()) return;
  Area::Access &seen = a.access[byte];
  if (seen.kernel != serial) seen = {serial, -1, -1};
  const bool read = seen.reader != -1 && seen.reader != current;
  if (read || (seen.writer >= 0 && seen.writer != current)) {
    const std::string other = read && seen.reader == severalReaders
                                  ? std::string("other iterations read")
                                  : fmt::format("iteration {} {}", read ? seen.reader : seen.writer, read ? "reads" : "writes");
    report(c, Conflict,
           fmt::format("{} is stored to at element {}, which {}", b.name, (byte - p.offset) / byteSize(b.type), other));
  }
  seen.writer = current;
}

void Machine::report(const Code &c, int kind, const std::string &what) {
  if (findings.wanted(c.origin, kind)) findings.add(fmt::format("kernel {}: {}{}", kernel->name, what, iteration()));
}

std::string Machine::iteration() const {
  std::string s;
  if (kernel->parallel >= 0) s = fmt::format(" ({} = {}", kernel->variables[kernel->parallel], current);
  return s.empty() ? s : s + ")";
}

} // namespace netc::loop
