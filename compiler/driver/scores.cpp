#include "compiler/driver/scores.h"

#include "compiler/driver/feed.h"

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

std::vector<Score> metricsOf(CompiledModel &model, const void *const *batch, std::size_t count) {
  std::vector<Score> metrics;
  const loop::Entry *entry = model.entry("evaluate");
  if (!entry) return metrics;
  require(model.core().run("evaluate", batch, nullptr, count), model.core(), "evaluating");
  for (std::size_t i = 0; i < entry->results.size(); ++i)
    if (const loop::Result &r = entry->results[i]; r.kind == loop::Result::Kind::Metric)
      metrics.push_back({r.name, false, model.core().lastResult(i)});
  return metrics;
}

std::vector<Score> evaluateAll(CompiledModel &model, const BoundData &data, std::size_t most) {
  const loop::Entry *entry = model.entry("evaluate");
  if (!entry || data.rows == 0) return {};
  std::vector<Score> scores;
  for (const loop::Result &r : entry->results) scores.push_back({r.name, r.kind == loop::Result::Kind::Loss, 0});
  Feed feed(data, most, inOrder(data.rows, most));
  while (const void *const *batch = feed.next()) {
    require(model.core().run("evaluate", batch, nullptr, feed.count()), model.core(), "evaluating");
    for (std::size_t i = 0; i < scores.size(); ++i)
      scores[i].value += static_cast<double>(model.core().lastResult(i)) * static_cast<double>(feed.count());
  }
  for (Score &s : scores) s.value /= static_cast<double>(data.rows);
  addTotal(scores);
  return scores;
}

} // namespace netc::driver
