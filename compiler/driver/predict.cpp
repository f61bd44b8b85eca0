// netc predict: what a trained model says about data.
#include "compiler/driver/commands.h"
#include "compiler/driver/compiled_model.h"
#include "compiler/driver/data_source.h"
#include "compiler/driver/messages.h"
#include "compiler/driver/predictions.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace netc::driver {
namespace {

/// A field of a CSV line.
std::string csvField(const std::string &text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// One line a sample, in one of the formats. `head` is a line before all, perhaps empty.
struct Writer {
  std::string format;
  const std::vector<Prediction> &all;
  std::optional<Classification> classes;
  std::size_t top;

  std::string head() const {
    if (format != "csv") return "";
    std::string line = "sample";
    if (classes) {
      for (std::size_t i = 1; i <= top; ++i) line += fmt::format(",class_{},{}_{}", i, csvField(scores().name), i);
      return line + "\n";
    }
    for (const Prediction &p : all)
      for (std::size_t i = 0; i < p.elements; ++i)
        line += "," + csvField(p.elements == 1 ? p.name : fmt::format("{}_{}", p.name, i));
    return line + "\n";
  }

  std::string line(const std::string &name, std::size_t sample) const {
    if (format == "csv") return csvField(name) + (classes ? csvClasses(sample) : csvValues(sample)) + "\n";
    if (format == "json")
      return fmt::format("{{\"sample\": {}, {}}}\n", jsonString(name), classes ? jsonClasses(sample) : jsonValues(sample));
    return visible(name) + (classes ? textClasses(sample) : textValues(sample)) + "\n";
  }

private:
  const Prediction &scores() const { return all[classes->output]; }
  double score(std::size_t sample, std::size_t k) const { return scores().values[sample * scores().elements + k]; }
  std::vector<std::size_t> best(std::size_t sample) const {
    std::vector<std::size_t> order = ranked(scores(), sample);
    order.resize(top);
    return order;
  }

  std::string csvClasses(std::size_t sample) const {
    std::string text;
    for (std::size_t k : best(sample)) text += fmt::format(",{},{}", csvField(classes->names[k]), shortFigure(score(sample, k)));
    return text;
  }
  std::string csvValues(std::size_t sample) const {
    std::string text;
    for (const Prediction &p : all)
      for (std::size_t i = 0; i < p.elements; ++i) text += "," + shortFigure(p.values[sample * p.elements + i]);
    return text;
  }
  std::string jsonClasses(std::size_t sample) const {
    std::string text;
    for (std::size_t k : best(sample))
      text += fmt::format("{}{{\"class\": {}, {}: {}}}", text.empty() ? "" : ", ", jsonString(classes->names[k]),
                          jsonString(scores().name), jsonNumber(score(sample, k)));
    return fmt::format("\"classes\": [{}]", text);
  }
  std::string jsonValues(std::size_t sample) const {
    std::string text;
    for (const Prediction &p : all) {
      std::string values;
      for (std::size_t i = 0; i < p.elements; ++i) values += (i ? ", " : "") + jsonNumber(p.values[sample * p.elements + i]);
      if (!p.shape.empty()) values = "[" + values + "]";
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", jsonString(p.name), values);
    }
    return text;
  }
  std::string textClasses(std::size_t sample) const {
    std::string text;
    for (std::size_t k : best(sample)) text += fmt::format("  {} {}", visible(classes->names[k]), figure(score(sample, k)));
    return text;
  }
  std::string textValues(std::size_t sample) const {
    std::string text;
    for (const Prediction &p : all) {
      text += "  " + p.name;
      for (std::size_t i = 0; i < p.elements; ++i) text += " " + shortFigure(p.values[sample * p.elements + i]);
    }
    return text;
  }
};

/// A sample whose results are no numbers is shown as it is; a message says that, and which input is to blame if one is.
void warnOfNaN(const std::vector<Prediction> &all, const BoundData &data) {
  for (std::uint32_t sample = 0; sample < data.rows; ++sample)
    for (const Prediction &p : all) {
      const auto begin = p.values.begin() + static_cast<std::ptrdiff_t>(sample * p.elements);
      if (std::none_of(begin, begin + static_cast<std::ptrdiff_t>(p.elements), [](double v) { return std::isnan(v); })) continue;
      const std::string input = data.notFinite({sample});
      return complain(fmt::format("netc: warning: {} of sample {} is nan{}\n", p.name, sample, input.empty() ? "" : "; " + input));
    }
}

void checkFormat(const std::string &format) {
  const std::vector<std::string> formats = {"text", "csv", "json"};
  if (std::find(formats.begin(), formats.end(), format) == formats.end())
    throw UserError("--format: " + unknownName("format", format, formats));
}

} // namespace

int predictCommand(const Options &o) {
  std::string format = !o.format.empty() ? o.format : o.json ? "json" : "text";
  checkFormat(format);
  if (o.json && format != "json") throw UserError(fmt::format("--json and --format {}: one of them", format));
  CompiledModel model(o);
  if (o.weights.empty() && model.core().parameterCount() > 0)
    throw UserError("'netc predict' needs --weights FILE, from 'netc train --out' or --weights-out");
  if (!model.entry("predict")) throw UserError(fmt::format("'{}' has no output to predict", o.input));
  Samples samples = readSamples(model, o);
  std::vector<Prediction> all = predictAll(model, samples.data, static_cast<std::size_t>(model.program().batch));
  warnOfNaN(all, samples.data);
  std::optional<Classification> classes = classificationOf(model);
  std::size_t top = classes ? std::min(classes->names.size(), static_cast<std::size_t>(o.top)) : 0;
  Writer writer{format, all, classes, top};
  fmt::print("{}", writer.head());
  for (std::size_t i = 0; i < samples.data.rows; ++i)
    fmt::print("{}", writer.line(samples.names.empty() ? std::to_string(i) : samples.names[i], i));
  return 0;
}

} // namespace netc::driver
