#include "compiler/driver/batches.h"

#include <algorithm>
#include <numeric>

namespace netc::driver {
namespace {

/// What training lowers is the sum of the losses.
void addTotal(std::vector<Score> &scores) {
  Score total{"total_loss", true, 0};
  std::ptrdiff_t losses = 0;
  for (const Score &s : scores)
    if (s.isLoss) total.value += s.value, ++losses;
  if (losses > 1) scores.insert(scores.begin(), total);
}

} // namespace

Batch::Batch(const BoundData &bound, std::size_t most) : data(bound) {
  for (const data::Array &a : bound.slots) memory.emplace_back(a.rowBytes() * most);
  for (const auto &m : memory) pointers.push_back(m.data());
}

const void *const *Batch::gather(const std::uint32_t *rows, std::size_t count) {
  for (std::size_t i = 0; i < memory.size(); ++i) data::gather(data.slots[i], rows, count, memory[i].data());
  return pointers.data();
}

std::vector<Score> evaluateAll(CompiledModel &model, const BoundData &data, std::size_t most) {
  const loop::Entry *entry = model.entry("evaluate");
  if (!entry || data.rows == 0) return {};
  std::vector<Score> scores;
  for (const loop::Result &r : entry->results) scores.push_back({r.name, r.kind == loop::Result::Kind::Loss, 0});
  std::vector<std::uint32_t> rows(data.rows);
  std::iota(rows.begin(), rows.end(), 0u);
  Batch batch(data, most);
  for (std::size_t at = 0; at < data.rows; at += most) {
    std::size_t count = std::min(most, data.rows - at);
    Status status = model.core().run("evaluate", batch.gather(rows.data() + at, count), nullptr, count);
    require(status, model.core(), "evaluating");
    for (std::size_t i = 0; i < scores.size(); ++i)
      scores[i].value += static_cast<double>(model.core().lastResult(i)) * static_cast<double>(count);
  }
  for (Score &s : scores) s.value /= static_cast<double>(data.rows);
  addTotal(scores);
  return scores;
}

} // namespace netc::driver
