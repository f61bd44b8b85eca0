#include "compiler/loop/interpreter.h"

#include "compiler/loop/kernel_verifier.h"
#include "compiler/loop/machine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace netc::loop {

namespace {

std::int64_t bytesOf(const Slot &s, std::int64_t count) {
  return (s.row > 0 ? s.row * count : s.elements) * byteSize(s.type);
}

void fillWithNaN(std::vector<std::uint8_t> &bytes) { std::fill(bytes.begin(), bytes.end(), 0xff); }

std::vector<std::uint8_t> constantBytes(const Buffer &b) {
  std::vector<std::uint8_t> bytes(b.size * byteSize(b.type));
  for (std::size_t i = 0; i < b.values.size() && i < static_cast<std::size_t>(b.size); ++i) {
    const double v = b.values[i];
    if (b.type == DType::F32) {
      const float f = static_cast<float>(v);
      std::memcpy(&bytes[4 * i], &f, 4);
    } else if (b.type == DType::I32) {
      const auto n = static_cast<std::int32_t>(v);
      std::memcpy(&bytes[4 * i], &n, 4);
    } else {
      bytes[i] = static_cast<std::uint8_t>(v);
    }
  }
  return bytes;
}

class Interpreter {
public:
  Interpreter(const Program &p, const Entry &e, Memory &m, const Interpretation &how) : p(p), e(e), m(m), how(how) {}

  std::vector<std::string> run() {
    checkMemory();
    if (!findings.list.empty()) return findings.list;
    prepareAreas();
    Machine machine(e, placeBuffers(), scalars(), how.count, findings, part);
    const FlushDenormals flush;
    for (std::size_t i = 0, next = 0; i < e.kernels.size(); i = next) {
      if (static_cast<int>(i) == e.commit && !lossesAreFinite()) break;
      for (next = i + 1; next < e.kernels.size() && e.kernels[next - 1].depthFirst;) ++next;
      const std::span chain = std::span(e.kernels).subspan(i, next - i);
      if (chain[0].turns == 0) machine.run(chain, how.reverseParallel);
      for (std::int64_t turn = 0; turn < chain[0].turns; ++turn)
        for (std::size_t k = 0; k < chain.size(); ++k) machine.run(chain.subspan(k, 1), how.reverseParallel, turn);
    }
    checkOutputs();
    return findings.list;
  }

private:
  void checkMemory() {
    if (how.count < 1 || how.count > p.batch)
      return findings.add(fmt::format("count is {}, expected 1 to {}", how.count, p.batch));
    if (static_cast<std::int64_t>(m.store.size()) != p.storeBytes)
      findings.add(fmt::format("the store has {} bytes, expected {}", m.store.size(), p.storeBytes));
    const std::vector<Slot> slots = inputSlots(p);
    m.inputs.resize(std::max(m.inputs.size(), slots.size()));
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const bool used = std::any_of(e.buffers.begin(), e.buffers.end(), [&](const Buffer &b) {
        return b.space == Space::Input && b.place == static_cast<std::int64_t>(i);
      });
      const auto expected = bytesOf(slots[i], how.count), found = static_cast<std::int64_t>(m.inputs[i].size());
      if (used && found != expected)
        findings.add(fmt::format("input {} has {} bytes, expected {}", slots[i].name, found, expected));
    }
  }

  void prepareAreas() {
    workspaceBytes.resize(e.workspaceBytes);
    fillWithNaN(workspaceBytes);
    workspace = area(workspaceBytes, /*initialised=*/false, /*writable=*/true);
    partBytes.resize(e.partBytes);
    part = area(partBytes, false, true);
    store = area(m.store, true, true);
    for (auto &input : m.inputs) inputs.push_back(area(input, true, false));
    const std::vector<Slot> slots = outputSlots(e);
    m.outputs.resize(slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
      m.outputs[i].resize(bytesOf(slots[i], how.count));
      fillWithNaN(m.outputs[i]);
      outputs.push_back(area(m.outputs[i], false, true));
    }
    constants.reserve(e.buffers.size());
    constantAreas.reserve(e.buffers.size());
  }

  static Area area(std::vector<std::uint8_t> &bytes, bool initialised, bool writable) {
    Area a;
    a.bytes = bytes.data();
    a.size = static_cast<std::int64_t>(bytes.size());
    if (!initialised) a.written.assign(bytes.size(), 0);
    if (writable) a.access.resize(bytes.size());
    return a;
  }

  std::vector<BufferPlace> placeBuffers() {
    std::vector<BufferPlace> places;
    for (const Buffer &b : e.buffers) {
      BufferPlace place;
      const auto slot = static_cast<std::size_t>(b.place);
      switch (b.space) {
      case Space::Workspace: place = {&workspace, b.place, b.size}; break;
      case Space::Part: place = {&part, b.place, b.size}; break;
      case Space::Store: place = {&store, b.place, b.size}; break;
      case Space::Input: place.area = slot < inputs.size() ? &inputs[slot] : nullptr; break;
      case Space::Output: place.area = slot < outputs.size() ? &outputs[slot] : nullptr; break;
      case Space::Constant:
        constants.push_back(constantBytes(b));
        constantAreas.push_back(area(constants.back(), true, false));
        place.area = &constantAreas.back();
        break;
      }
      if (!place.area) place.area = &nowhere;
      if (place.limit == 0) place.limit = place.area->size / byteSize(b.type);
      place.limit = std::min(place.limit, (place.area->size - place.offset) / byteSize(b.type));
      places.push_back(place);
    }
    return places;
  }

  std::vector<std::uint32_t> scalars() const {
    ScalarInputs in = how.scalars;
    in.count = static_cast<double>(how.count);
    std::vector<std::uint32_t> values;
    for (const RuntimeScalar &s : e.scalars) values.push_back(scalarBits(s.program, in));
    return values;
  }

  bool lossesAreFinite() const {
    for (std::size_t i = 0; i < e.results.size(); ++i) {
      if (e.results[i].kind != Result::Kind::Loss) continue;
      for (std::size_t at = 0; at + 4 <= m.outputs[i].size(); at += 4) {
        float f;
        std::memcpy(&f, &m.outputs[i][at], 4);
        if (!std::isfinite(f)) return false;
      }
    }
    return true;
  }

  void checkOutputs() {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto &written = outputs[i].written;
      const auto hole = std::find(written.begin(), written.end(), 0);
      if (hole != written.end() && findings.wanted(&written, 0))
        findings.add(fmt::format("result {} is never written at element {}", e.results[i].name,
                                 (hole - written.begin()) / byteSize(e.results[i].type)));
    }
  }

  const Program &p;
  const Entry &e;
  Memory &m;
  const Interpretation &how;
  Findings findings;
  std::vector<std::uint8_t> workspaceBytes, partBytes;
  Area workspace, part, store, nowhere;
  std::vector<Area> inputs, outputs, constantAreas;
  std::vector<std::vector<std::uint8_t>> constants;
};

} // namespace

std::vector<std::string> interpret(const Program &p, const Entry &e, Memory &m, const Interpretation &how) {
  return Interpreter(p, e, m, how).run();
}

} // namespace netc::loop
