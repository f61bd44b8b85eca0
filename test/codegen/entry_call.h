// A call of a compiled entry: its stages on given memory; also as bytes, for kernels that run in another process.
#pragma once

#include "float_mode.h"
#include "netc/abi.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <stdlib.h>
#include <unistd.h>
#include <vector>

namespace netc {

using Bytes = std::vector<std::uint8_t>;

struct EntryCall {
  std::string entry;
  std::int64_t count = 0;
  Bytes store;
  std::vector<Bytes> inputs, outputs; // by slot
  std::vector<float> scalars;
};

namespace entry_call {

struct Aligned { // 64 bytes, as the runtime's memory
  explicit Aligned(std::size_t size) : bytes(size + 64) {}
  std::uint8_t *data() { return bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64; }
  Bytes bytes;
};

inline bool lossesFinite(const NetcEntry &entry, const EntryCall &call) {
  for (std::int64_t r = 0; r < entry.resultCount; ++r) {
    float loss = 0;
    if (entry.results[r].kind != NETC_LOSS) continue;
    std::memcpy(&loss, call.outputs[static_cast<std::size_t>(r)].data(), sizeof loss);
    if (!std::isfinite(loss)) return false;
  }
  return true;
}

/// Calls f(number of bytes, where they are) for each part in turn; f says how many bytes the part is to have.
template <class Call, class F> void parts(Call &call, F f) {
  f(call.entry);
  f(call.store);
  f(call.inputs);
  f(call.outputs);
  f(call.scalars);
}

struct Writer {
  std::FILE *file;
  void number(std::uint64_t n) { std::fwrite(&n, sizeof n, 1, file); }
  template <class List> void operator()(const List &list) {
    number(list.size());
    std::fwrite(list.data(), sizeof list[0], list.size(), file);
  }
  void operator()(const std::vector<Bytes> &lists) {
    number(lists.size());
    for (const Bytes &list : lists) (*this)(list);
  }
};

struct Reader {
  std::FILE *file;
  bool good = true;
  std::uint64_t number() {
    std::uint64_t n = 0;
    good &= std::fread(&n, sizeof n, 1, file) == 1;
    return n;
  }
  template <class List> void operator()(List &list) {
    list.resize(number());
    good &= std::fread(list.data(), sizeof list[0], list.size(), file) == list.size();
  }
  void operator()(std::vector<Bytes> &lists) {
    lists.resize(number());
    for (Bytes &list : lists) (*this)(list);
  }
};

} // namespace entry_call

/// The entry's stages, one thread, denormals flushed; chains of stages depth first.
inline void run(const NetcEntry &entry, EntryCall &call) {
  entry_call::Aligned store(call.store.size()), workspace(static_cast<std::size_t>(entry.workspaceBytes));
  std::memcpy(store.data(), call.store.data(), call.store.size());
  std::memset(workspace.data(), 0xff, static_cast<std::size_t>(entry.workspaceBytes)); // NaN
  std::vector<const void *> inputs;
  std::vector<void *> outputs;
  for (Bytes &b : call.inputs) inputs.push_back(b.data());
  for (Bytes &b : call.outputs) outputs.push_back(b.data());
  NetcFrame frame{store.data(), workspace.data(), inputs.data(), outputs.data(), call.scalars.data(), call.count, nullptr,
                  workspace.data() + entry.workspaceBytes - NETC_PART_COUNT * entry.partBytes, 0};
  {
    const FloatMode mode;
    for (std::int64_t s = 0; s < entry.stageCount; ++s) {
      if (s == entry.commit && !entry_call::lossesFinite(entry, call)) break;
      const std::int64_t first = s;
      while (entry.stages[s].depthFirst) ++s;
      const auto iterate = [&](std::int64_t from, std::int64_t to) {
        const NetcStage &stage = entry.stages[from];
        const std::int64_t iterations = stage.perBlock * ((call.count + 15) / 16) + stage.perFullBlock * (call.count / 16) +
                                        stage.perCount * call.count + stage.fixed;
        for (std::int64_t i = 0; i < iterations; ++i)
          for (std::int64_t k = from; k <= to; ++k) netcRunStage(entry.stages + k, frame, i, i + 1);
      };
      const std::int64_t turns = entry.stages[first].turns;
      if (turns == 0) iterate(first, s);
      for (frame.turn = 0; frame.turn < turns; ++frame.turn)
        for (std::int64_t k = first; k <= s; ++k) iterate(k, k);
      frame.turn = 0;
    }
  }
  std::memcpy(call.store.data(), store.data(), call.store.size());
}

inline void write(std::FILE *file, const EntryCall &call) {
  entry_call::Writer writer{file};
  writer.number(static_cast<std::uint64_t>(call.count));
  entry_call::parts(call, writer);
}

inline bool read(std::FILE *file, EntryCall &call) {
  entry_call::Reader reader{file};
  call.count = static_cast<std::int64_t>(reader.number());
  entry_call::parts(call, [&](auto &part) { reader(part); });
  return reader.good;
}

/// Runs the call in another process: remote.cpp, compiled with the model, as the command starts it.
inline void runRemote(const std::string &command, EntryCall &call) {
  char name[] = "/tmp/netc-call-XXXXXX";
  const int request = mkstemp(name);
  std::FILE *file = fdopen(request, "wb");
  write(file, call);
  std::fclose(file);
  std::FILE *answer = popen((command + " <" + name).c_str(), "r");
  EntryCall result;
  const bool good = read(answer, result) && pclose(answer) == 0;
  unlink(name);
  if (!good) throw std::runtime_error("this failed: " + command);
  call = std::move(result);
}

} // namespace netc
