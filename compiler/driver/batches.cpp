#include "compiler/driver/batches.h"

#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace netc::driver {
namespace {

data::Array rowsOf(const data::Array &a, const std::vector<std::uint32_t> &rows) {
  data::Array part = a;
  if (part.shape.empty()) throw UserError(fmt::format("{} is a single value, expected one for each sample", a.name));
  part.shape[0] = static_cast<std::int64_t>(rows.size());
  part.bytes.resize(rows.size() * a.rowBytes());
  data::gather(a, rows.data(), rows.size(), part.bytes.data());
  return part;
}

BoundData rowsOf(const BoundData &all, const std::vector<std::uint32_t> &rows) {
  BoundData part{{}, rows.size(), all.description};
  for (const data::Array &slot : all.slots) part.slots.push_back(rowsOf(slot, rows));
  return part;
}

/// Data is bound, and so checked, before it is split: mistakes are found in the order of the file.
void splitOffTest(DataParts &parts) {
  std::size_t rows = parts.train.rows;
  std::vector<std::uint32_t> order(rows);
  epochOrder(order.data(), rows, /*seed=*/0, /*epoch=*/0);
  auto cut = order.begin() + static_cast<std::ptrdiff_t>(rows - rows / 5);
  if (cut != order.end()) parts.test = rowsOf(parts.train, {cut, order.end()});
  parts.train = rowsOf(parts.train, {order.begin(), cut});
}

/// What training lowers is the sum of the losses.
void addTotal(std::vector<Score> &scores) {
  Score total{"total_loss", true, 0};
  std::ptrdiff_t losses = 0;
  for (const Score &s : scores)
    if (s.isLoss) total.value += s.value, ++losses;
  if (losses > 1) scores.insert(scores.begin(), total);
}

} // namespace

DataParts readData(const CompiledModel &model, const std::string &from, const std::vector<std::string> &binds) {
  data::Source source;
  std::string error;
  if (!data::readSource(from, source, error)) throw UserError(error);
  DataParts parts{bindData(model.inputs(), source.train, binds), {}, source.description};
  if (source.test.empty()) splitOffTest(parts);
  else if (source.test[0].rows() > 0) parts.test = bindData(model.inputs(), source.test, binds);
  return parts;
}

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
