#include "compiler/driver/report.h"

#include "compiler/driver/chart.h"
#include "compiler/driver/figures.h"
#include "compiler/support/diagnostics.h"

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
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].values.push_back(row[i].empty() ? NAN : std::strtod(row[i].c_str(), nullptr));
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

/// The first parameter that is a bank of two-dimensional filters over grey or colour.
std::string filters(CompiledModel &model) {
  constexpr std::size_t most = 64, pixel = 8;
  for (std::size_t p = 0; p < model.core().parameterCount(); ++p) {
    Tensor t = model.core().parameter(p);
    if (t.rank() != 4 || (t.extent(1) != 1 && t.extent(1) != 3) || t.extent(2) < 2) continue;
    std::vector<float> values(t.size());
    t.get(values.data());
    std::string text = fmt::format("<h2>Filters</h2>\n<p>{}, each from its least value (black) to its greatest.</p>\n<p>\n", htmlText(t.name()));
    std::size_t each = t.size() / t.extent(0);
    for (std::size_t f = 0; f < std::min(most, t.extent(0)); ++f)
      text += pixels(values.data() + f * each, t.extent(1), t.extent(2), t.extent(3), pixel);
    return text + "</p>\n";
  }
  return "";
}

} // namespace

std::string reportPage(CompiledModel &model, const std::string &metrics, const std::optional<Confusion> &confusion) {
  std::string name = htmlText(model.program().name), page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += fmt::format("<title>{}: training</title>\n{}</head>\n<body>\n<h1>{}</h1>\n", name, style, name);
  const std::string &plan = model.program().trainingEntry()->plan;
  page += fmt::format("<p>{} updates of {} parameters{}</p>\n", model.core().step(), parametersIn(model),
                      plan.empty() ? "" : ", by " + htmlText(plan));
  page += curves(columnsOf(metrics));
  if (confusion) page += table(*confusion);
  return page + filters(model) + "</body>\n</html>\n";
}

} // namespace netc::driver
