#include "compiler/driver/report.h"

#include "compiler/driver/chart.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"
#include "compiler/support/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

namespace netc::driver {
namespace {

constexpr const char *style = R"(<meta name="viewport" content="width=device-width">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
figure { display: inline-block; margin: 0 1rem 1rem 0; max-width: 100% }
svg { max-width: 100%; height: auto }
div { overflow-x: auto }
table { border-collapse: collapse } td, th { padding: .2rem .6rem; text-align: right }
th { font-weight: 600 }
.share { min-width: 6rem }
.memory svg { min-width: 40rem }
.code { text-align: left; font-family: monospace; white-space: nowrap }
img { image-rendering: pixelated; margin: 2px }
.sample { font-size: .8rem; text-align: center }
#whole:checked ~ .graph svg { max-width: none }
</style>
)";

std::vector<std::string> cells(const std::string &line) {
  std::vector<std::string> list;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) list.push_back(cell);
  return list;
}

/// The columns of a CSV of numbers.
std::vector<Series> columnsOf(const std::string &csv) {
  std::istringstream in(csv);
  std::string line;
  std::vector<Series> columns;
  std::getline(in, line);
  for (const std::string &name : cells(line)) columns.push_back({name, {}});
  while (std::getline(in, line)) {
    std::vector<std::string> row = cells(line);
    row.resize(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i)
      columns[i].values.push_back(row[i].empty() ? NAN : std::strtod(row[i].c_str(), nullptr));
  }
  return columns;
}

/// Losses share a chart, for they have one scale; every other column has its own.
std::string curves(std::vector<Series> columns) {
  std::vector<double> epochs = columns[0].values;
  std::vector<Series> losses;
  std::string charts;
  for (Series &column : columns) {
    bool isLoss = column.name == "loss" || column.name == "test_loss" || column.name == "test_total_loss";
    bool isClock = column.name == "epoch" || column.name == "step" || column.name == "seconds";
    if (isLoss) losses.push_back(std::move(column));
    else if (!isClock) charts += chart({column}, epochs);
  }
  return chart(losses, epochs) + charts;
}

/// Rows are true classes; the darker, the more of its samples.
std::string table(const Confusion &confusion) {
  constexpr std::size_t mostColumns = 30;
  std::string text = "<h2>Classes</h2>\n<div><table>\n<tr><th>class</th><th>samples</th><th>recall</th><th>precision</th>";
  std::size_t columns = confusion.names.size() <= mostColumns ? confusion.names.size() : 0;
  for (std::size_t k = 0; k < columns; ++k) text += fmt::format("<th>{}</th>", htmlText(confusion.names[k]));
  for (std::size_t k = 0; k < confusion.names.size(); ++k) {
    text += fmt::format("</tr>\n<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td>", htmlText(confusion.names[k]), confusion.samplesOf(k),
                        figure(confusion.recall(k)), figure(confusion.precision(k)));
    for (std::size_t as = 0; as < columns; ++as) {
      double share = static_cast<double>(confusion.counts[k][as]) / static_cast<double>(std::max<std::int64_t>(1, confusion.samplesOf(k)));
      text += fmt::format("<td style=\"background: rgba(31, 119, 180, {:.2f})\">{}</td>", 0.7 * share, confusion.counts[k][as]);
    }
  }
  return text + "</tr>\n</table></div>\n<p>Rows are the true classes, columns what they were taken for.</p>\n";
}

/// Where an input slot holds pictures over grey or colour: its planes and extents; empty for another one.
struct Picture {
  std::size_t slot, planes, height, width;
};

std::optional<Picture> pictureInput(const CompiledModel &model) {
  std::vector<const loop::Tensor *> inputs = model.inputs();
  for (std::size_t slot = 0; slot < inputs.size(); ++slot) {
    const loop::Tensor &t = *inputs[slot];
    if (t.role != loop::Tensor::Role::Input || !t.batch || t.shape.size() < 3 || t.shape.size() > 4) continue;
    auto extent = [&](std::size_t fromEnd) { return static_cast<std::size_t>(t.shape[t.shape.size() - fromEnd]); };
    std::size_t planes = t.shape.size() == 4 ? extent(3) : 1;
    if ((planes == 1 || planes == 3) && extent(2) > 1 && extent(1) > 1) return Picture{slot, planes, extent(2), extent(1)};
  }
  return {};
}

/// The samples that the model was surest of and wrong.
std::string mistakes(const CompiledModel &model, const TrainingRecord &record) {
  constexpr std::size_t most = 24, shown = 96;
  std::optional<Picture> picture = pictureInput(model);
  if (!picture || !record.confusion || record.confusion->mistakes.empty()) return "";
  const Confusion &confusion = *record.confusion;
  std::string text =
      fmt::format("<h2>Mistakes</h2>\n<p>{} of {} samples of the test part; those of which the model was surest.</p>\n<div>\n",
                  confusion.mistakes.size(), record.test.rows);
  for (std::size_t m = 0; m < std::min(most, confusion.mistakes.size()); ++m) {
    const Mistake &mistake = confusion.mistakes[m];
    const std::vector<double> sample = record.test.sample(picture->slot, mistake.sample);
    const std::vector<float> values(sample.begin(), sample.end());
    text += fmt::format("<figure class=\"sample\">{}<figcaption>{}, taken for {}<br>{:.3f}, sample {}</figcaption></figure>\n",
                        pixels(values.data(), picture->planes, picture->height, picture->width, shown),
                        htmlText(confusion.names[mistake.truth]), htmlText(confusion.names[mistake.taken]), mistake.value, mistake.sample);
  }
  return text + "</div>\n";
}

std::string row(const FilterBank &bank) {
  constexpr std::size_t most = 64, shown = 40;
  std::string text;
  std::size_t each = bank.planes * bank.height * bank.width;
  for (std::size_t f = 0; f < std::min(most, bank.count); ++f)
    text += pixels(bank.values.data() + f * each, bank.planes, bank.height, bank.width, shown);
  return text;
}

std::string filters(const FilterBank &before, const FilterBank &after) {
  return fmt::format(
      "<h2>Filters</h2>\n<p>{}, each from its least value (black) to its greatest.</p>\n<p>Before the training:</p>\n<p>\n{}</p>\n"
      "<p>Now:</p>\n<p>\n{}</p>\n",
      htmlText(after.name), row(before), row(after));
}

/// The slowest kernels of a step.
std::string times(KernelTimes step) {
  constexpr std::size_t most = 16;
  if (step.kernels.empty()) return "";
  double total = 0;
  for (const KernelTime &k : step.kernels) total += k.ms;
  std::stable_sort(step.kernels.begin(), step.kernels.end(), [](const KernelTime &a, const KernelTime &b) { return a.ms > b.ms; });
  std::string text = fmt::format(
      "<h2>Time</h2>\n<p>A step of a full batch on one thread, kernel by kernel: {:.3g} ms, peak {:.0f} GFLOP/s.</p>\n<div><table>\n"
      "<tr><th>ms</th><th class=\"share\">share</th><th>GFLOP/s</th><th>of peak</th><th class=\"code\">formula</th></tr>\n",
      total, step.peak);
  double left = total;
  for (std::size_t i = 0; i < std::min(most, step.kernels.size()); ++i) {
    const KernelTime &k = step.kernels[i];
    double share = total > 0 ? k.ms / total : 0;
    left -= k.ms;
    text +=
        fmt::format("<tr><td>{:.4f}</td><td style=\"background: linear-gradient(to right, #9ecae1 {:.0f}%, transparent 0)\">{:.0f} %</td>"
                    "<td>{}</td><td>{}</td><td class=\"code\">{}</td></tr>\n",
                    k.ms, 100 * share, 100 * share, k.flops > 0 ? fmt::format("{:.1f}", k.gflops()) : "",
                    k.flops > 0 && step.peak > 0 ? fmt::format("{:.2f}", k.gflops() / step.peak) : "", htmlText(k.formula));
  }
  if (const std::size_t others = step.kernels.size() - std::min(most, step.kernels.size()); others > 0)
    text += fmt::format("<tr><td>{:.4f}</td><td>{:.0f} %</td><td></td><td></td><td class=\"code\">{} other{}</td></tr>\n", left,
                        total > 0 ? 100 * left / total : 0, others, others == 1 ? "" : "s");
  return text + "</table></div>\n";
}

std::string memorySection(const std::string &svg) {
  return "<h2>Memory</h2>\n<p>The workspace of each entry point: kernels from left to right, bytes upward, each tensor from the kernel "
         "that makes it to the last that reads it. Kernels that run in turn over one block of samples after another keep theirs all "
         "the while.</p>\n<div class=\"memory\">\n" +
         svg + "</div>\n";
}

std::string graphSection(const std::string &svg) {
  std::size_t begin = svg.find("<svg"); // behind the declarations of a file of its own
  if (begin == std::string::npos) return "";
  return "<h2>Graph</h2>\n<p>The kernels of a step with the formulas that are fused in each: forward blue, backward orange, updates green; "
         "lines carry bytes.</p>\n<input type=\"checkbox\" id=\"whole\"><label for=\"whole\"> in full size</label>\n<div "
         "class=\"graph\">\n" +
         svg.substr(begin) + "</div>\n";
}

} // namespace

std::optional<FilterBank> firstFilters(CompiledModel &model) {
  for (std::size_t p = 0; p < model.core().parameterCount(); ++p) {
    Tensor t = model.core().parameter(p);
    if (t.rank() != 4 || (t.extent(1) != 1 && t.extent(1) != 3) || t.extent(2) < 2) continue;
    FilterBank bank{t.name(), t.extent(0), t.extent(1), t.extent(2), t.extent(3), std::vector<float>(t.size())};
    t.get(bank.values.data());
    return bank;
  }
  return {};
}

std::string reportPage(CompiledModel &model, const TrainingRecord &record) {
  std::string name = htmlText(model.program().name), page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += fmt::format("<meta name=\"generator\" content=\"{}\">\n<title>{}: training</title>\n{}</head>\n<body>\n<h1>{}</h1>\n", version(),
                      name, style, name);
  const std::string &plan = model.program().trainingEntry()->plan;
  page += fmt::format("<p>{} updates of {} parameters{}</p>\n", model.core().step(), parametersIn(model),
                      plan.empty() ? "" : ", by " + htmlText(plan));
  page += curves(columnsOf(record.metrics));
  if (record.confusion) page += table(*record.confusion);
  page += mistakes(model, record);
  if (std::optional<FilterBank> now = firstFilters(model); now && record.filters) page += filters(*record.filters, *now);
  page += times(record.step) + memorySection(record.memory);
  return page + graphSection(record.graph) + "</body>\n</html>\n";
}

} // namespace netc::driver
