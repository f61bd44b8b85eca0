// netc evaluate: how good weights are, on the test part of a data source.
#include "compiler/driver/batches.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/figures.h"
#include "compiler/support/diagnostics.h"

#include <fmt/format.h>

#include <cmath>

namespace netc::driver {

int evaluateCommand(const Options &o) {
  if (o.weights.empty()) throw UserError("'netc evaluate' needs --weights FILE");
  CompiledModel model(o);
  if (!model.entry("evaluate")) throw UserError(fmt::format("'{}' has neither a loss nor a metric", o.input));
  DataParts data = readData(model, o.data, o.bind);
  std::vector<Score> scores = evaluateAll(model, data.test, static_cast<std::size_t>(model.program().batch));
  std::string json;
  for (const Score &s : scores) {
    if (!o.json) fmt::print("{} {}\n", s.name, std::isnan(s.value) ? "nan" : fmt::format("{:.6g}", s.value));
    json += fmt::format("{}\"{}\": {}", json.empty() ? "" : ", ", s.name, jsonNumber(s.value));
  }
  if (o.json) fmt::print("{{{}}}\n", json);
  return 0;
}

} // namespace netc::driver
