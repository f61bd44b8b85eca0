// The pipeline over a program. Kernels that differ in nothing but their buffers and scalars, as the blocks of a residual network
// do, are optimized once.
#include "compiler/loop/kernel_key.h"
#include "compiler/loop/passes.h"
#include "compiler/loop/walk.h"
#include "compiler/support/in_parallel.h"

#include <fmt/format.h>

namespace netc::loop {

namespace {

struct Task {
  const Entry *entry = nullptr;
  Kernel *kernel = nullptr;
  KernelKey key = {};
};

/// All that the passes look at; with the names, so that each kernel reads as if it had been optimized by itself.
KernelKey passesKey(const Entry &entry, const Kernel &kernel) {
  KernelKey key = keyOf(entry, kernel);
  key.words += fmt::format("{} {}\n", kernel.turns, kernel.parallelExtent.str([&](int v) { return kernel.variables[v]; }));
  for (const int v : key.variables) key.words += kernel.variables[v] + '\n';
  for (const int r : key.registers) key.words += kernel.registers[r].name + '\n';
  return key;
}

/// By number in `from`: the number in `to` of what is used at the same place.
std::vector<int> renumbering(std::size_t count, const std::vector<int> &from, const std::vector<int> &to) {
  std::vector<int> numbers(count, -1);
  for (std::size_t i = 0; i < from.size(); ++i) numbers[from[i]] = to[i];
  return numbers;
}

/// Gives a kernel the code of one that was like it and is optimized.
void takeCode(const Task &to, const Task &from) {
  const auto buffers = renumbering(from.entry->buffers.size(), from.key.buffers, to.key.buffers);
  const auto scalars = renumbering(from.entry->scalars.size(), from.key.scalars, to.key.scalars);
  to.kernel->variables = from.kernel->variables;
  to.kernel->registers = from.kernel->registers;
  to.kernel->parallel = from.kernel->parallel;
  to.kernel->body = rewritten(from.kernel->body, {{}, {}, [&](int b) { return buffers[b]; }, [&](int s) { return scalars[s]; }});
}

} // namespace

void optimize(Program &program) {
  std::vector<Task> tasks;
  for (Entry &entry : program.entries)
    for (Kernel &kernel : entry.kernels) tasks.push_back({&entry, &kernel});
  onAllProcessors(tasks.size(), [&](std::size_t i) { tasks[i].key = passesKey(*tasks[i].entry, *tasks[i].kernel); });
  std::unordered_map<std::string_view, const Task *> known;
  std::vector<const Task *> firsts;
  std::vector<std::pair<const Task *, const Task *>> others; // with the first one like it
  for (const Task &task : tasks) {
    const auto [first, isNew] = known.try_emplace(task.key.words, &task);
    if (isNew) firsts.push_back(&task);
    else others.emplace_back(&task, first->second);
  }
  onAllProcessors(firsts.size(), [&](std::size_t i) { optimize(*firsts[i]->entry, *firsts[i]->kernel, program.batch); });
  onAllProcessors(others.size(), [&](std::size_t i) { takeCode(*others[i].first, *others[i].second); });
}

} // namespace netc::loop
