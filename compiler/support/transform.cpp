#include "compiler/support/transform.h"

#include "compiler/support/diagnostics.h"
#include "compiler/support/lexer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace netc {
namespace {

using Kind = Transform::Kind;
using Form = ArgumentForm;
using Numbers = std::vector<double>;

constexpr double largestSide = 1 << 15;

/// Names, defaults and meanings are torchvision's.
const std::vector<TransformRow> &table() {
  static const std::vector<TransformRow> rows = {
      {Kind::Resize, "resize", "Resize", false, {{"size", Form::Shorter, {}}}},
      {Kind::CenterCrop, "center_crop", "CenterCrop", false, {{"size", Form::Size, {}}}},
      {Kind::Pad, "pad", "Pad", false, {{"padding", Form::Border, {}}, {"fill", Form::Byte, {0}}}},
      {Kind::RandomCrop, "random_crop", "RandomCrop", true,
       {{"size", Form::Size, {}}, {"padding", Form::Border, {0, 0, 0, 0}}, {"fill", Form::Byte, {0}}}},
      {Kind::RandomResizedCrop, "random_resized_crop", "RandomResizedCrop", true,
       {{"size", Form::Size, {}}, {"scale", Form::Share, {0.08, 1}}, {"ratio", Form::Ratio, {3.0 / 4, 4.0 / 3}}}},
      {Kind::RandomHorizontalFlip, "random_horizontal_flip", "RandomHorizontalFlip", true, {{"p", Form::Probability, {0.5}}}},
      {Kind::RandomVerticalFlip, "random_vertical_flip", "RandomVerticalFlip", true, {{"p", Form::Probability, {0.5}}}},
      {Kind::ColorJitter, "color_jitter", "ColorJitter", true,
       {{"brightness", Form::Factor, {1, 1}}, {"contrast", Form::Factor, {1, 1}}, {"saturation", Form::Factor, {1, 1}},
        {"hue", Form::Turn, {0, 0}}}},
  };
  return rows;
}

struct Range {
  double low, high;
  bool whole; // numbers only
};

Range rangeOf(Form form) {
  constexpr double tiny = 1e-6, large = 1e6;
  switch (form) {
  case Form::Size:
  case Form::Shorter: return {1, largestSide, true};
  case Form::Border: return {0, largestSide, true};
  case Form::Byte: return {0, 255, true};
  case Form::Probability: return {0, 1, false};
  case Form::Share: return {tiny, 1, false};
  case Form::Ratio: return {tiny, large, false};
  case Form::Factor: return {0, large, false};
  case Form::Turn: return {-0.5, 0.5, false};
  }
  internalError("unknown form of an argument");
}

bool isInterval(Form form) { return form == Form::Share || form == Form::Ratio || form == Form::Factor || form == Form::Turn; }

/// The numbers that an argument takes, for messages.
std::string_view countText(Form form) {
  switch (form) {
  case Form::Size:
  case Form::Shorter: return "one number, or two: [height, width]";
  case Form::Border: return "one number, two: [left and right, top and bottom], or four: [left, top, right, bottom]";
  case Form::Byte:
  case Form::Probability: return "one number";
  case Form::Share:
  case Form::Ratio: return "two numbers: [low, high]";
  case Form::Factor:
  case Form::Turn: return "one number, or two: [low, high]";
  }
  internalError("unknown form of an argument");
}

/// The full form; empty if there cannot be so many numbers.
Numbers completed(Form form, const Numbers &v) {
  const bool one = v.size() == 1, two = v.size() == 2;
  switch (form) {
  case Form::Size: return one ? Numbers{v[0], v[0]} : two ? v : Numbers{};
  case Form::Shorter: return one || two ? v : Numbers{};
  case Form::Border: return one ? Numbers(4, v[0]) : two ? Numbers{v[0], v[1], v[0], v[1]} : v.size() == 4 ? v : Numbers{};
  case Form::Byte:
  case Form::Probability: return one ? v : Numbers{};
  case Form::Share:
  case Form::Ratio: return two ? v : Numbers{};
  case Form::Factor: return one && v[0] >= 0 ? Numbers{std::max(0.0, 1 - v[0]), 1 + v[0]} : one || two ? v : Numbers{};
  case Form::Turn: return one && v[0] >= 0 ? Numbers{-v[0], v[0]} : one || two ? v : Numbers{};
  }
  internalError("unknown form of an argument");
}

/// "32", "[0.25, 1]"
std::string listText(const Numbers &v) { return v.size() == 1 ? fmt::format("{}", v[0]) : fmt::format("[{}]", fmt::join(v, ", ")); }

std::string problemWith(const TransformArgument &a, const Numbers &given, const Numbers &full) {
  if (full.empty()) return fmt::format("{} takes {}; found {}", a.name, countText(a.form), listText(given));
  const Range r = rangeOf(a.form);
  const double low = isInterval(a.form) && given.size() == 1 ? std::max(0.0, r.low) : r.low;
  for (const double x : given)
    if (!(x >= low && x <= r.high) || (r.whole && x != std::floor(x)))
      return fmt::format("{} must be {} from {} to {}; found {}", a.name, r.whole ? "whole numbers" : "numbers", low, r.high,
                         listText(given));
  if (isInterval(a.form) && full[0] > full[1]) return fmt::format("{} runs from low to high; found {}", a.name, listText(given));
  return {};
}

/// Which argument is meant; -1: none, and `message` says so.
int placeOf(const TransformRow &r, const GivenArgument &given, std::size_t position, std::string &message) {
  std::vector<std::string> names;
  for (const TransformArgument &a : r.arguments) names.emplace_back(a.name);
  if (given.name.empty() && position < names.size()) return static_cast<int>(position);
  if (given.name.empty()) {
    message = fmt::format("too many arguments: '{}' takes at most {}", r.name, names.size());
    return -1;
  }
  const auto found = std::find(names.begin(), names.end(), given.name);
  if (found == names.end()) message = fmt::format("'{}' has no argument '{}'{}", r.name, given.name, didYouMean(given.name, names));
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

} // namespace

const TransformRow &row(Kind kind) { return table()[static_cast<std::size_t>(kind)]; }

const TransformRow *findTransform(std::string_view name) {
  for (const TransformRow &r : table())
    if (r.name == name) return &r;
  return nullptr;
}

std::string transformHint(const std::string &unknown) {
  std::vector<std::string> names;
  for (const TransformRow &r : table()) {
    if (r.torchvision == unknown) return fmt::format("; did you mean '{}'?", r.name);
    names.emplace_back(r.name);
  }
  const std::string near = didYouMean(unknown, names);
  return near.empty() ? fmt::format("; there are {}", fmt::join(names, ", ")) : near;
}

std::optional<Transform> makeTransform(const TransformRow &r, std::span<const GivenArgument> given, TransformMistake &mistake) {
  Transform t{r.kind, {}};
  for (const TransformArgument &a : r.arguments) t.arguments.push_back(a.fallback);
  std::vector<bool> taken(r.arguments.size());
  std::size_t position = 0;
  for (std::size_t i = 0; i < given.size(); ++i) {
    mistake.argument = static_cast<int>(i);
    const int at = placeOf(r, given[i], position, mistake.message);
    if (at < 0) return std::nullopt;
    position += given[i].name.empty();
    const TransformArgument &a = r.arguments[static_cast<std::size_t>(at)];
    const Numbers full = completed(a.form, given[i].values);
    mistake.message = taken[static_cast<std::size_t>(at)] ? fmt::format("argument '{}' of '{}' is given twice", a.name, r.name)
                                                          : problemWith(a, given[i].values, full);
    if (!mistake.message.empty()) return std::nullopt;
    t.arguments[static_cast<std::size_t>(at)] = full;
    taken[static_cast<std::size_t>(at)] = true;
  }
  mistake.argument = -1;
  for (std::size_t i = 0; i < t.arguments.size(); ++i)
    if (t.arguments[i].empty()) {
      mistake.message = fmt::format("'{}' needs an argument for '{}'", r.name, r.arguments[i].name);
      return std::nullopt;
    }
  return t;
}

std::string str(const Transform &t) {
  const TransformRow &r = row(t.kind);
  std::string text;
  for (std::size_t i = 0; i < t.arguments.size(); ++i) {
    const Numbers &v = t.arguments[i];
    const Form form = r.arguments[i].form;
    const bool alike = (form == Form::Size || form == Form::Border) && std::equal(v.begin() + 1, v.end(), v.begin());
    text += fmt::format("{}{} = {}", i ? ", " : "", r.arguments[i].name, listText(alike ? Numbers{v[0]} : v));
  }
  return fmt::format("{}({})", r.name, text);
}

std::string str(std::span<const Transform> list) {
  std::string text;
  for (const Transform &t : list) text += (text.empty() ? "" : ", ") + str(t);
  return text;
}

namespace {

GivenArgument parseArgument(TokenStream &in) {
  GivenArgument a;
  if (in.peek(1).text == "=") {
    a.name = in.expectIdentifier("an argument's name");
    in.expect("=");
  }
  const bool list = in.accept("[");
  do a.values.push_back(in.expectNumber("a number"));
  while (list && in.accept(","));
  if (list) in.expect("]");
  return a;
}

std::optional<Transform> parseTransform(TokenStream &in) {
  const std::string name = in.expectIdentifier("a step");
  const TransformRow *r = findTransform(name);
  if (!r) in.error(fmt::format("unknown step '{}'{}", name, transformHint(name)));
  std::vector<GivenArgument> given;
  if (in.expect("("))
    while (!in.failed() && !in.at(")")) {
      if (!given.empty()) in.expect(",");
      given.push_back(parseArgument(in));
    }
  in.expect(")");
  if (in.failed()) return std::nullopt;
  TransformMistake mistake;
  std::optional<Transform> t = makeTransform(*r, given, mistake);
  if (!t) in.error(mistake.message);
  return t;
}

} // namespace

std::optional<std::vector<Transform>> parseTransforms(const std::string &text, std::string &error) {
  Diagnostics diag;
  TokenStream in(tokenize(text, diag.addSource("data", text), diag), diag);
  std::vector<Transform> list;
  in.begin();
  do
    if (const auto t = parseTransform(in)) list.push_back(*t);
  while (!in.failed() && in.accept(","));
  if (!in.failed() && !in.atEnd()) in.errorExpected("',' and a further step");
  if (!diag.hasErrors()) return list;
  error = diag.entries().front().message;
  return std::nullopt;
}

PictureSize sizeAfter(const Transform &t, PictureSize before, std::string &problem) {
  const auto whole = [&](std::size_t argument, std::size_t i) { return static_cast<long>(t.arguments[argument][i]); };
  const bool known = before.height > 0;
  switch (t.kind) {
  case Kind::Resize: {
    if (t.arguments[0].size() == 2) return {whole(0, 0), whole(0, 1)};
    if (!known) return {};
    const long shorter = std::min(before.height, before.width), to = whole(0, 0);
    return {std::max(1L, before.height * to / shorter), std::max(1L, before.width * to / shorter)};
  }
  case Kind::Pad:
    if (!known) return {};
    return {before.height + whole(0, 1) + whole(0, 3), before.width + whole(0, 0) + whole(0, 2)};
  case Kind::RandomCrop: {
    const PictureSize padded{before.height + whole(1, 1) + whole(1, 3), before.width + whole(1, 0) + whole(1, 2)};
    if (known && (padded.height < whole(0, 0) || padded.width < whole(0, 1)))
      problem = fmt::format("random_crop takes {} x {} out of {} x {} pixels", whole(0, 0), whole(0, 1), padded.height, padded.width);
    return {whole(0, 0), whole(0, 1)};
  }
  case Kind::CenterCrop:
  case Kind::RandomResizedCrop: return {whole(0, 0), whole(0, 1)};
  case Kind::RandomHorizontalFlip:
  case Kind::RandomVerticalFlip:
  case Kind::ColorJitter: return before;
  }
  internalError("unknown transform");
}

} // namespace netc
