#include "compiler/driver/confusion.h"

#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace netc::driver {
namespace {

double share(std::int64_t part, std::int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

std::string shown(double share) { return std::isnan(share) ? "-" : fmt::format("{:.4f}", share); }

} // namespace

std::int64_t Confusion::samplesOf(std::size_t k) const { return std::accumulate(counts[k].begin(), counts[k].end(), std::int64_t{0}); }

double Confusion::accuracy() const {
  std::int64_t right = 0, all = 0;
  for (std::size_t k = 0; k < names.size(); ++k) right += counts[k][k], all += samplesOf(k);
  return share(right, all);
}

double Confusion::recall(std::size_t k) const { return share(counts[k][k], samplesOf(k)); }

double Confusion::precision(std::size_t k) const {
  std::int64_t said = 0;
  for (const auto &row : counts) said += row[k];
  return share(counts[k][k], said);
}

std::string Confusion::text() const {
  constexpr std::size_t mostColumns = 20;
  std::vector<std::string> labels;
  for (const std::string &name : names) labels.push_back(visible(name));
  std::size_t width = 5; // of "class"
  for (const std::string &label : labels) width = std::max(width, label.size());
  std::string lines = fmt::format("\n{:<{}}  samples  recall  precision\n", "class", width);
  for (std::size_t k = 0; k < labels.size(); ++k)
    lines += fmt::format("{:<{}}  {:>7}  {:>6}  {:>9}\n", labels[k], width, samplesOf(k), shown(recall(k)), shown(precision(k)));
  if (labels.size() > mostColumns) return lines;
  lines += fmt::format("\n{:<{}}  taken for:\n{:<{}}", "", width, "", width);
  for (const std::string &label : labels) lines += fmt::format("  {:>6}", label);
  for (std::size_t k = 0; k < labels.size(); ++k) {
    lines += fmt::format("\n{:<{}}", labels[k], width);
    for (std::size_t as = 0; as < labels.size(); ++as)
      lines += fmt::format("  {:>{}}", counts[k][as], std::max<std::size_t>(6, labels[as].size()));
  }
  return lines + "\n";
}

std::string Confusion::json() const {
  std::string classes, matrix;
  for (std::size_t k = 0; k < names.size(); ++k) {
    classes += fmt::format("{}{{\"class\": {}, \"samples\": {}, \"recall\": {}, \"precision\": {}}}", k ? ", " : "", jsonString(names[k]),
                           samplesOf(k), jsonNumber(recall(k)), jsonNumber(precision(k)));
    std::string row;
    for (std::int64_t count : counts[k]) row += fmt::format("{}{}", row.empty() ? "" : ", ", count);
    matrix += fmt::format("{}[{}]", k ? ", " : "", row);
  }
  return fmt::format("\"classes\": [{}], \"confusion\": [{}]", classes, matrix);
}

std::optional<Confusion> confusionOf(CompiledModel &model, const BoundData &data, std::size_t batch) {
  std::optional<Classification> classes = classificationOf(model);
  if (!classes || data.rows == 0) return {};
  std::vector<Prediction> all = predictAll(model, data, batch);
  std::size_t count = classes->names.size();
  Confusion confusion{classes->names, std::vector<std::vector<std::int64_t>>(count, std::vector<std::int64_t>(count)), {}};
  const Prediction &output = all[classes->output];
  for (std::size_t i = 0; i < data.rows; ++i) {
    auto label = static_cast<std::size_t>(data.sample(classes->target, i)[0]);
    std::size_t taken = ranked(output, i)[0];
    ++confusion.counts[label][taken];
    if (taken != label) confusion.mistakes.push_back({i, label, taken, output.values[i * output.elements + taken]});
  }
  std::stable_sort(confusion.mistakes.begin(), confusion.mistakes.end(),
                   [](const Mistake &a, const Mistake &b) { return a.value > b.value; });
  return confusion;
}

} // namespace netc::driver
