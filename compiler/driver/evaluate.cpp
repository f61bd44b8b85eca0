// netc evaluate: how good weights are, on the test part of a data source.
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/confusion.h"
#include "compiler/driver/data_source.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/scores.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace netc::driver {
namespace {

void addAccuracy(std::vector<Score> &scores, const Confusion &confusion) {
  bool there = std::any_of(scores.begin(), scores.end(), [](const Score &s) { return s.name == "accuracy"; });
  if (!there) scores.push_back({"accuracy", false, confusion.accuracy()});
}

void warnOfNonFinite(const std::vector<Score> &scores, const BoundData &data) {
  const auto bad = std::find_if(scores.begin(), scores.end(), [](const Score &s) { return !std::isfinite(s.value); });
  if (bad == scores.end()) return;
  const std::string input = data.notFinite();
  complain(fmt::format("netc: warning: {} is not finite{}\n", bad->name, input.empty() ? "" : "; " + input));
}

} // namespace

int evaluateCommand(const Options &o) {
  if (o.weights.empty()) throw UserError("'netc evaluate' needs --weights FILE");
  CompiledModel model(o);
  if (!model.entry("evaluate")) throw UserError(fmt::format("'{}' has neither a loss nor a metric", o.input));
  DataParts data = readData(model, o);
  if (data.test.rows == 0)
    throw UserError(fmt::format("the data have no test part: all {} samples are to train with; --validation 0.5 takes half of them for one",
                                data.train.rows));
  auto most = static_cast<std::size_t>(model.program().batch);
  std::vector<Score> scores = evaluateAll(model, data.test, most);
  warnOfNonFinite(scores, data.test);
  std::optional<Confusion> confusion = confusionOf(model, data.test, most);
  if (confusion) addAccuracy(scores, *confusion);
  std::string json;
  for (const Score &s : scores) {
    if (!o.json) fmt::print("{} {}\n", s.name, shortFigure(s.value));
    json += fmt::format("{}{}: {}", json.empty() ? "" : ", ", jsonString(s.name), jsonNumber(s.value));
  }
  if (confusion && !o.json && !o.quiet) fmt::print("{}", confusion->text());
  if (confusion) json += ", " + confusion->json();
  if (o.json) fmt::print("{{{}}}\n", json);
  return 0;
}

} // namespace netc::driver
